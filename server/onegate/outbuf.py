"""What a client has not yet taken: memory first, a file past the high-water mark.

With it a slow client holds a descriptor and disk, never the application.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from socket import SocketType

from onegate.spool import open_spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from onegate.tls import Transport


class ResponseCutError(OSError):
    """The rest of a response cannot be sent, and not because of its client: there is no disk or no
    descriptor for it, or a file that is sent became shorter."""


class FileSegment:
    """``count`` octets of an open file from ``position`` on. ``own``: to be closed when sent."""

    __slots__ = ("count", "descriptor", "own", "position")

    def __init__(self, descriptor: int, position: int, count: int, *, own: bool) -> None:
        self.descriptor = descriptor
        self.position = position
        self.count = count
        self.own = own


class OutBuffer:
    """Octets in order, some of them in files.

    ``memory``: octets kept in memory. ``spool``: folder for more, None if there is no disk.
    """

    MAX_SPOOLED = 1 << 30
    """Octets that one slow client may cost on disk before the application has to wait."""

    __slots__ = ("_in_memory", "_memory", "_segments", "_spool", "_spooled", "_written")

    def __init__(self, memory: int, spool: str | None) -> None:
        self._memory = memory
        self._spool = spool
        self._segments: deque[memoryview | FileSegment] = deque()
        self._in_memory = 0
        self._spooled: IO[bytes] | None = None
        self._written = 0

    def __bool__(self) -> bool:
        return bool(self._segments)

    @property
    def full(self) -> bool:
        """True if the application has to wait: memory and disk are at their marks."""
        if self._in_memory <= self._memory:
            return False
        return self._spool is None or self._written > self.MAX_SPOOLED

    def append(self, octets: bytes | memoryview) -> None:
        """Keep ``octets``. Raises :class:`ResponseCutError` if the disk is full."""
        if (
            self._in_memory + len(octets) <= self._memory
            or self._spool is None
            or self._written > self.MAX_SPOOLED
        ):
            self._segments.append(memoryview(octets))
            self._in_memory += len(octets)
            return
        try:
            self._append_to_disk(octets)
        except OSError as error:
            raise ResponseCutError(f"it cannot be spooled: {error}") from error

    def _append_to_disk(self, octets: bytes | memoryview) -> None:
        if self._spooled is None:
            assert self._spool is not None
            self._spooled = open_spool(self._spool, buffered=False)
        descriptor = self._spooled.fileno()
        view = memoryview(octets)
        while view:
            written = os.pwrite(descriptor, view, self._written)
            last = self._segments[-1] if self._segments else None
            if isinstance(last, FileSegment) and last.descriptor == descriptor:
                last.count += written
            else:
                self._segments.append(FileSegment(descriptor, self._written, written, own=False))
            self._written += written
            view = view[written:]

    def append_file(self, segment: FileSegment) -> None:
        """Keep a part of a file."""
        self._segments.append(segment)

    def keep(self, segment: FileSegment) -> None:
        """Outlive the caller's descriptor: own a duplicate of it if something is left to send.

        Raises :class:`ResponseCutError` if there is none left, and gives up what was to be sent.
        """
        if segment.count:
            try:
                segment.descriptor = os.dup(segment.descriptor)
            except OSError as error:
                self.close()
                raise ResponseCutError(f"no descriptor for the file: {error}") from error
            segment.own = True

    def flush(self, sock: Transport) -> int:
        """Send what ``sock`` takes without waiting; return how many octets.

        Raises ``BlockingIOError`` only if nothing at all could be sent. After any other ``OSError``
        nothing can follow in order, so the buffer is empty: above all it does not hold on to a
        descriptor that is its owner's to close, and that may soon be another file's.
        """
        sent = 0
        while self._segments:
            segment = self._segments[0]
            try:
                count = _send(sock, segment)
            except BlockingIOError:
                if not sent:
                    raise
                break
            except OSError:
                self.close()
                raise
            sent += count
            self._take(segment, count)
        if self._spooled is not None and not self._segments:
            self._spooled.truncate(0)
            self._written = 0
        return sent

    def _take(self, segment: memoryview | FileSegment, count: int) -> None:
        if isinstance(segment, FileSegment):
            segment.position += count
            segment.count -= count
            if not segment.count:
                self._segments.popleft()
                if segment.own:
                    os.close(segment.descriptor)
        else:
            self._in_memory -= count
            if count == len(segment):
                self._segments.popleft()
            else:
                self._segments[0] = segment[count:]

    def close(self) -> None:
        """Give back memory, descriptors and disk."""
        for segment in self._segments:
            if isinstance(segment, FileSegment) and segment.own:
                os.close(segment.descriptor)
        self._segments.clear()
        self._in_memory = 0
        if self._spooled is not None:
            self._spooled.close()
            self._spooled = None
            self._written = 0


def _send(sock: Transport, segment: memoryview | FileSegment) -> int:
    if not isinstance(segment, FileSegment):
        return sock.send(segment, socket.MSG_DONTWAIT)
    if not isinstance(sock, SocketType):  # over TLS the kernel cannot do it
        count = sock.send_range(segment.descriptor, segment.position, segment.count)
    else:
        if sock.gettimeout() != 0:
            sock.setblocking(False)  # sendfile has no flag for a single call
        count = os.sendfile(sock.fileno(), segment.descriptor, segment.position, segment.count)
    if not count:
        # The file became shorter than it was: the answer can only be cut.
        raise ResponseCutError("its file is shorter than when the response began")
    return count
