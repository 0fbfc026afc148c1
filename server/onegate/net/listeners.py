"""Listening sockets: opened at the addresses of ``--bind``, closed without resetting anybody.

The master opens them, the workers inherit them (:class:`Listener`). An address that cannot be
bound is one line that says what to do.
"""

from __future__ import annotations

import array
import contextlib
import errno
import logging
import os
import re
import socket
import stat
import struct

from onegate._record import Record
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings

log = logging.getLogger("onegate.error")

_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})"
)

_LOCK_TIMEOUT = 2.0
"""Seconds to wait for other instances that bind in the same directory."""
_IN_USE = "already in use; stop the server that listens there or choose another address"

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


def open_listeners(
    settings: Settings, held: dict[str, Listener], activated: list[int]
) -> tuple[list[Listener], Listener | None]:
    """The listeners that ``settings`` name, and that of ``--status``, if there is one; those that
    are ``held``, by address, are kept.

    ``activated``: descriptors of socket activation, which take the place of ``--bind``.
    Raises :class:`SettingsError`; whatever was opened is closed again.
    """
    opened: list[Listener] = []
    addresses = [f"fd://{number}" for number in activated] or settings.bind
    try:
        listeners = [
            _held(held, address, settings) or _opened(opened, listen(address, settings))
            for address in addresses
        ]
        status = None
        if address := settings.status:
            status = held.get(address) or listen(address, settings, "--status")
    except BaseException:
        for listener in opened:
            listener.close(unlink=True)
        raise
    return listeners, status


def _held(held: dict[str, Listener], address: str, settings: Settings) -> Listener | None:
    listener = held.get(address)
    if listener is not None and not listener.foreign and _v6only(listener.sock):
        # IPV6_V6ONLY cannot be changed while it is open.
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as usual:
            if not _v6only(usual) and not _v4_beside(address, settings):
                raise SettingsError(
                    f"--bind {address}: the existing [::] socket is IPv6-only, because an IPv4"
                    " listener had the same port; restart onegate to reopen it"
                )
    return listener


def _v6only(sock: socket.socket) -> bool:
    """Whether it accepts no IPv4 though its address is that of all interfaces."""
    if sock.family != socket.AF_INET6 or sock.getsockname()[0] != "::":
        return False
    return bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))


def _opened(opened: list[Listener], listener: Listener) -> Listener:
    opened.append(listener)
    return listener


def adopt(
    descriptor: int, address: str, option: str = "--bind", *, foreign: bool = True
) -> Listener:
    """Take over a socket that listens already. Raises :class:`SettingsError` if it does not."""
    try:
        sock = socket.socket(fileno=descriptor)
        os.set_inheritable(descriptor, False)
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            sock.detach()
            raise SettingsError(
                f"{option} {address}: descriptor {descriptor} is not a listening socket"
            )
    except OSError:
        raise SettingsError(
            f"{option} {address}: descriptor {descriptor} is not a socket"
        ) from None
    sock.setblocking(False)
    if sock.family == socket.AF_UNIX:
        path = sock.getsockname()
        if isinstance(path, bytes):
            named = _unix(sock, "@" + os.fsdecode(path[1:]), "")
        else:
            named = _unix(sock, path or address, path)
    else:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        named = _named(sock)
    return named.replace(given=address, foreign=foreign, family=int(sock.family))


def _v4_beside(address: str, settings: Settings) -> bool:
    """Whether the settings name an IPv4 listener on the port of ``address``, which is of IPv6."""
    match = _ADDRESS.fullmatch(address)
    others = (_ADDRESS.fullmatch(each) for each in (*settings.bind, settings.status))
    return match is not None and any(
        other["ipv6"] is None and int(other["port"]) == int(match["port"])
        for other in others
        if other is not None and int(other["port"])
    )


def check(address: str, option: str = "--bind") -> None:
    """Raises :class:`SettingsError` if ``address`` is not of a form that can be bound."""
    if address.startswith("fd://") and address.removeprefix("fd://").isdigit():
        return
    if address.startswith("unix:") and address not in ("unix:", "unix:@"):
        return
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        raise SettingsError(
            f"{option} {address}: invalid address, expected HOST:PORT, [IPV6]:PORT, unix:PATH,"
            " unix:@NAME or fd://NUMBER"
        )


def listen(address: str, settings: Settings, option: str = "--bind") -> Listener:
    """Bind ``address``, the value of ``option``, and listen.

    Raises :class:`SettingsError` with what to do about it.
    """
    listener = _listen(address, settings, option)
    return listener.replace(given=address, family=int(listener.sock.family))


def _listen(address: str, settings: Settings, option: str) -> Listener:
    check(address, option)
    if address.startswith("fd://"):
        return adopt(int(address.removeprefix("fd://")), address, option)
    if address.startswith("unix:@"):
        return _listen_abstract(address.removeprefix("unix:@"), settings, option)
    if address.startswith("unix:"):
        return _listen_unix(address.removeprefix("unix:"), settings, option)
    match = _ADDRESS.fullmatch(address)
    assert match is not None
    host, port = match["ipv6"] or match["host"] or "0.0.0.0", int(match["port"])  # noqa: S104 - an empty host means every interface, as everywhere
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            # As octets it is not prepared as an international name, whose tables cost 0.5 MiB.
            host.encode() if host.isascii() else host,
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
    except socket.gaierror as error:
        raise SettingsError(
            f"{option} {address}: unknown host {host!r} ({error.strerror})"
        ) from None
    except UnicodeError:
        # Raised for labels that no host name can have: empty ones, and those over 63 octets.
        raise SettingsError(f"{option} {address}: invalid host name {host!r}") from None
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"{option} {address}: {_advice(error)}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every accepted socket: one call here instead of one for each connection.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # [::] accepts IPv4 too, as the kernel has it, unless another listener is to accept it.
        if family == socket.AF_INET6 and where[0] == "::" and _v4_beside(address, settings):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
        sock.listen(settings.backlog)
    except OSError as error:
        sock.close()
        raise SettingsError(f"{option} {address}: {_advice(error)}") from None
    sock.setblocking(False)
    return _named(sock)


def _named(sock: socket.socket) -> Listener:
    address, port = sock.getsockname()[:2]
    # In brackets in a URL and in SERVER_NAME alike (RFC 3986, 3.2.2; RFC 3875, 4.1.14).
    host = f"[{address}]" if sock.family == socket.AF_INET6 else address
    # An address that stands for all interfaces is no name to make URLs of (PEP 3333).
    server_name = socket.gethostname() if address in ("0.0.0.0", "::") else host  # noqa: S104
    return Listener(
        sock=sock,
        name=f"http://{host}:{port}",
        server_name=server_name or "localhost",
        server_port=str(port),
    )


def _unix(sock: socket.socket, name: object, path: str) -> Listener:
    return Listener(
        sock=sock,
        name=f"unix:{name}",
        server_name="localhost",
        server_port="80",
        path=path,
        file=file_at(path) if path else None,
    )


def _listen_unix(path: str, settings: Settings, option: str) -> Listener:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    lock = _lock(os.path.dirname(path))
    try:
        _remove_stale(path)
        sock.bind(path)
        try:
            _set_owner(path, settings)  # before anybody can connect
            sock.listen(settings.backlog)
        except OSError:
            os.unlink(path)
            raise
    except OSError as error:
        sock.close()
        raise SettingsError(f"{option} unix:{path}: {_advice(error)}") from None
    finally:
        if lock >= 0:
            os.close(lock)
    sock.setblocking(False)
    return _unix(sock, path, os.path.join(os.getcwd(), path))


def _listen_abstract(name: str, settings: Settings, option: str) -> Listener:
    """Listen on a name that is in no file system, and gone with its socket (unix(7))."""
    if settings.socket_mode is not None:
        raise SettingsError(
            f"{option} unix:@{name}: an abstract socket has no permissions; remove --socket-mode"
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(b"\0" + os.fsencode(name))
        sock.listen(settings.backlog)
    except OSError as error:
        sock.close()
        raise SettingsError(f"{option} unix:@{name}: {_advice(error)}") from None
    sock.setblocking(False)
    return _unix(sock, f"@{name}", "")


def _set_owner(path: str, settings: Settings) -> None:
    """Give the socket at ``path`` to --user and --group, with the permissions of --socket-mode.

    Raises ``OSError``.
    """
    if settings.socket_mode is not None:
        os.chmod(path, settings.socket_mode)
    if settings.user or settings.group:
        from onegate.process.privileges import identity  # noqa: PLC0415 - only when started as root

        who = identity(settings.user, settings.group)
        os.chown(path, -1 if who.uid is None else who.uid, -1 if who.gid is None else who.gid)


class SocketPermissions(Record):
    """Owner and mode of Unix sockets: --user, --group and --socket-mode."""

    user: str = ""
    group: str = ""
    mode: int | None = None


def socket_permissions(settings: Settings) -> SocketPermissions:
    """Those that the settings name."""
    return SocketPermissions(user=settings.user, group=settings.group, mode=settings.socket_mode)


def update_permissions(
    listeners: list[Listener], settings: Settings, before: SocketPermissions, umask: int
) -> None:
    """Give Unix sockets that a reload or an upgrade has kept the owner and mode that the settings
    name now. To be called when it has succeeded.

    ``before``: those that the settings named until now. What they no longer name is reset to what a
    new socket would have: this process's user and group, and the mode that ``umask`` leaves.
    """
    for listener in listeners:
        if listener.path and not listener.foreign and file_at(listener.path) == listener.file:
            try:
                _reset_permissions(listener.path, settings, before, umask)
                _set_owner(listener.path, settings)
            except OSError as error:
                log.error("cannot change owner or mode of %s: %s", listener.name, error.strerror)


def _reset_permissions(
    path: str, settings: Settings, before: SocketPermissions, umask: int
) -> None:
    """Raises ``OSError``."""
    if before.mode is not None and settings.socket_mode is None:
        os.chmod(path, 0o777 & ~umask)
    uid = os.geteuid() if before.user and not settings.user else -1
    named = settings.user or settings.group
    gid = os.getegid() if (before.user or before.group) and not named else -1
    if (uid, gid) != (-1, -1):
        os.chown(path, uid, gid)


def _lock(directory: str) -> int:
    """Lock ``directory``, so that other instances wait before they bind in it; return a descriptor
    that unlocks it when it is closed.

    Between the check that nobody listens on a socket and its removal, another instance that found
    the same may have bound the path. -1 if the directory cannot be locked. After two seconds the
    lock is ignored: binding takes less, and nobody should be able to hold up a start.
    """
    import fcntl  # noqa: PLC0415 - for Unix sockets only
    import time  # noqa: PLC0415

    try:
        descriptor = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return -1
    until = time.monotonic() + _LOCK_TIMEOUT
    while time.monotonic() < until:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.005)
        except OSError:
            break  # a filesystem without locks
        else:
            break
    return descriptor


def _remove_stale(path: str) -> None:
    """Remove a Unix socket that nobody listens on. One that is in use is never taken over."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(
                errno.EEXIST,
                "the file exists and is not a socket; remove it or choose another path",
            )
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        code = probe.connect_ex(path)
    if code != errno.ECONNREFUSED:
        raise OSError(code or errno.EADDRINUSE, os.strerror(code or errno.EADDRINUSE))
    os.unlink(path)


def _advice(error: OSError) -> str:
    advice = {
        errno.EADDRINUSE: _IN_USE,
        errno.EACCES: "permission denied; a port below 1024 needs CAP_NET_BIND_SERVICE, a Unix"
        " socket a writable directory",
        errno.EADDRNOTAVAIL: "this machine has no such address",
        errno.EAGAIN: _IN_USE,
    }
    return advice.get(error.errno or 0) or str(error.strerror or error)
