"""Listening sockets: made by the master, inherited by the workers."""

from __future__ import annotations

import array
import contextlib
import os
import socket
import struct

from onegate._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings


_SO_ATTACH_FILTER = 26
"""asm-generic/socket.h; the ``socket`` module has no name for it."""

_TCP_INFO_QUEUE = struct.Struct("=8B4I2I")
"""The front of struct tcp_info; of a listening socket its last two numbers are the length of the
accept queue (tcpi_unacked) and its bound (tcpi_sacked)."""


class Listener(Record):
    """A listening socket, and its name in messages and in the environ."""

    sock: socket.socket
    name: str
    server_name: str
    server_port: str
    path: str = ""
    """Of a Unix socket that this process made."""
    file: tuple[int, int] | None = None
    """Device and inode of that path: another file there is another instance's."""
    given: str = ""
    """The address as it was configured."""
    family: int = socket.AF_INET
    """Of its addresses, as a plain number."""
    foreign: bool = False
    """Whether another process holds the socket too, and goes on listening when this one stops."""

    def url(self, settings: Settings) -> str:
        """The name, with the scheme that is served there."""
        return self.name.replace("http:", "https:", 1) if settings.certfile else self.name

    def queue(self) -> int | None:
        """Number of connections that wait to be accepted; None if the kernel does not report it."""
        return self._tcp_info()[-2]

    def queue_limit(self) -> int | None:
        """Maximum of :meth:`queue`; None if the kernel does not report it."""
        return self._tcp_info()[-1]

    def _tcp_info(self) -> tuple[int | None, ...]:
        if self.sock.family == socket.AF_UNIX:
            return None, None
        size = _TCP_INFO_QUEUE.size
        octets = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size)
        return _TCP_INFO_QUEUE.unpack(octets)

    def refuse(self) -> None:
        """Refuse new connections, while those in the kernel's queue can still be accepted.

        Closing a listening socket resets the queued connections. So new ones are kept out first: a
        packet filter drops every SYN (a client retransmits it, and finds the port closed or the
        next server), while handshakes under way are completed and queued. The file of a Unix socket
        is removed; an abstract one is shut down, which leaves its queue.
        """
        if self.foreign:
            return
        if self.path:
            self._unlink()
        elif self.sock.family != socket.AF_UNIX:
            self._drop_syn()
        else:
            self.sock.shutdown(socket.SHUT_RD)

    def waits(self) -> bool:
        """Whether a connection is queued at an abstract socket, which is always readable once it is
        shut down."""
        name = b"@" + os.fsencode(self.name.removeprefix("unix:@")).replace(b"\0", b"@")
        try:
            with open("/proc/net/unix", "rb") as table:
                # Num RefCount Protocol Flags Type St Inode Path; 02: connected, not accepted.
                lines = [line.rstrip(b"\n").split(None, 7) for line in table]
        except OSError:
            return False
        return any(len(line) == 8 and line[5] == b"02" and line[7] == name for line in lines)

    @property
    def abstract(self) -> bool:
        """Whether it is a Unix socket without a file (unix(7))."""
        return self.family == socket.AF_UNIX and not self.path

    def _drop_syn(self) -> None:
        # Classic BPF over the TCP header: byte 13 & SYN ? drop : keep      (tcp(7), socket(7))
        code = b"".join(
            struct.pack("=HBBI", *instruction)
            for instruction in (
                (0x30, 0, 0, 13),  # A = the flags
                (0x45, 0, 1, 0x02),  # if A & SYN
                (0x06, 0, 0, 0),  # keep nothing of the packet
                (0x06, 0, 0, 0xFFFFFFFF),  # keep all of it
            )
        )
        filters = array.array("B", code)
        program = struct.pack("@HP", len(code) // 8, filters.buffer_info()[0])
        # Where the kernel does not do it, a connection that comes in this instant may be lost.
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)

    def close(self, *, unlink: bool) -> None:
        """Close the socket; with ``unlink``, and unless it is foreign, remove its file too."""
        # The file first: as long as the socket is open its inode is not given to another one.
        if unlink and self.path and not self.foreign:
            self._unlink()
        self.sock.close()

    def _unlink(self) -> None:
        """Remove the file, unless it has become that of another socket."""
        if self.file is not None and self.file == file_at(self.path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)


def file_at(path: str) -> tuple[int, int] | None:
    """Device and inode of what is there; None if there is nothing."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
