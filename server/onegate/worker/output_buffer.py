"""What a client has not yet taken: memory first, a file past the high-water mark.

With it a slow client holds a descriptor and disk, never the application.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from socket import SocketType

from onegate.process.spool import open_spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, NoReturn

    from onegate.net.tls import Transport


class ResponseCutError(OSError):
    """The rest of a response cannot be sent, and not because of its client: there is no disk or no
    descriptor for it, or a file that is sent became shorter."""


FLUSH_MOST = 1 << 22
"""Octets that one client is sent before others have their turn."""


class FileSegment:
    """``count`` octets of an open file from ``position`` on. ``own``: to be closed when sent."""

    __slots__ = ("count", "descriptor", "own", "position")

    def __init__(self, descriptor: int, position: int, count: int, *, own: bool) -> None:
        self.descriptor = descriptor
        self.position = position
        self.count = count
        self.own = own


class OutputBuffer:
    """Octets in order, some of them in files.

    ``memory``: octets kept in memory. ``spool``: directory for more, None if there is no disk.

    With threads, the application's thread and the loop both use it: each holds the service's lock
    for what it does. Only whether it is empty may be read without; see :meth:`__bool__`.
    """

    MAX_SPOOLED = 1 << 30
    """Octets that one slow client may cost on disk before the application has to wait. They are in
    files of a quarter of that, each given back when it was sent. None is written to again: what
    sendfile(2) took of it is not yet sent, and would be sent as it is by then."""

    __slots__ = (
        "_allocated",
        "_in_memory",
        "_memory",
        "_position",
        "_reported",
        "_retired",
        "_segments",
        "_spool",
        "_spooled",
        "error",
        "failure",
        "sent",
    )

    def __init__(self, memory: int, spool: str | None) -> None:
        self._memory = memory
        self._spool = spool
        self._segments: deque[memoryview | FileSegment] = deque()
        self._in_memory = 0
        self._spooled: IO[bytes] | None = None
        """The file that is written to, ..."""
        self._position = 0
        """... where, ..."""
        self._retired: dict[int, tuple[IO[bytes], int]] = {}
        """... the earlier ones by their descriptors, with their sizes, ..."""
        self._allocated = 0
        """... and the octets of all of them."""
        self.error: OSError | None = None
        """Why something could not be spooled, ..."""
        self._reported = False
        """... and whether :meth:`new_error` has returned it."""
        self.sent = 0
        """Octets that clients took."""
        self.failure: OSError | None = None
        """Why something was lost, so that nothing can follow."""

    def __bool__(self) -> bool:
        """Whether something is left to be sent before anything else. While it is being sent, it is:
        a segment leaves when the kernel has taken the last of it."""
        if self._segments:
            return True
        return self.failure is not None

    def append(self, octets: bytes | memoryview) -> memoryview:
        """Keep as much of ``octets`` as there is room for; return the others.

        What does not fit into memory goes to disk; nothing of it, if that cannot be, and ``error``
        says why. Raises ``OSError`` if an earlier octet was lost.
        """
        if self.failure is not None:
            self._raise(self.failure)
        view = memoryview(octets)
        if not view:
            return view
        if self._in_memory + len(view) <= self._memory:
            self._segments.append(view)
            self._in_memory += len(view)
            return view[:0]
        if self._spool is not None:
            try:
                while view and self._allocated < self.MAX_SPOOLED:
                    view = view[self._write(view) :]
            except OSError as error:
                self.error = error
        return view

    def _write(self, view: memoryview) -> int:
        """Write some of ``view`` to disk; how many octets. Raises ``OSError``."""
        most = max(1, self.MAX_SPOOLED // 4)
        if self._spooled is None or self._position >= most:
            assert self._spool is not None
            fresh = open_spool(self._spool, buffered=False)
            self._retire()
            self._spooled, self._position = fresh, 0
        descriptor, position = self._spooled.fileno(), self._position
        written = os.pwrite(descriptor, view[: most - position], position)
        last = self._segments[-1] if self._segments else None
        if isinstance(last, FileSegment) and last.descriptor == descriptor:
            last.count += written
        else:
            self._segments.append(FileSegment(descriptor, position, written, own=False))
        self._position += written
        self._allocated += written
        return written

    def _retire(self) -> None:
        """Have the file that is written to given back when its last segment is sent."""
        file, self._spooled = self._spooled, None
        if file is None:
            return
        descriptor = file.fileno()
        self._retired[descriptor] = file, self._position
        for segment in reversed(self._segments):
            if isinstance(segment, FileSegment) and segment.descriptor == descriptor:
                segment.own = True
                return
        self._give_back(descriptor)

    def _give_back(self, descriptor: int) -> None:
        file, size = self._retired.pop(descriptor, (None, 0))
        self._allocated -= size
        if file is None:
            os.close(descriptor)
        else:
            file.close()

    @staticmethod
    def _raise(failure: OSError) -> NoReturn:
        if isinstance(failure, ResponseCutError):
            raise ResponseCutError(str(failure))
        raise ConnectionAbortedError("an earlier part of the response could not be sent")

    def append_file(self, segment: FileSegment) -> None:
        """Keep a part of a file. Raises ``OSError`` if an earlier octet was lost."""
        if self.failure is not None:
            self._raise(self.failure)
        self._segments.append(segment)

    def keep(self, segment: FileSegment) -> None:
        """Outlive the caller's descriptor: own a duplicate of it if something is left to send.

        Raises :class:`ResponseCutError` if there is none left, and gives up what was to be sent.
        """
        if segment.count:
            try:
                segment.descriptor = os.dup(segment.descriptor)
            except OSError as error:
                failure = ResponseCutError(f"no descriptor for the file: {error}")
                self.fail(failure)
                raise failure from error
            segment.own = True

    def flush(self, sock: Transport, most: int = sys.maxsize) -> int:
        """Send what ``sock`` takes without waiting; return how many octets.

        With ``most`` it ends when it has sent as many, although there may be room for more: a
        client that takes as fast as we send would keep it here for as long as there is something.

        Raises ``BlockingIOError`` only if nothing at all could be sent. After any other ``OSError``
        nothing can follow in order, so the buffer has failed and holds nothing: above all not a
        descriptor that is its owner's to close, and that may soon be another file's.
        """
        if self.failure is not None:
            self._raise(self.failure)
        sent, segments = 0, self._segments
        while segments and sent < most:
            segment = segments[0]
            try:
                count = _send(sock, segment, most)
            except BlockingIOError:
                if not sent:
                    raise
                break
            except OSError as error:
                self.fail(error)
                raise
            sent += count
            self.sent += count
            self._take(segment, count)
        if self._spooled is not None and not segments:
            # The kernel keeps the pages that it still sends; the next ones are others.
            self._spooled.truncate(0)
            self._position = self._allocated = 0
        return sent

    def send_through(self, sock: Transport, octets: memoryview) -> memoryview:
        """Send of ``octets`` what ``sock`` takes, past the buffer, which has to be empty.

        Returns what is left of them. Raises ``OSError``.
        """
        count = sock.send(octets, socket.MSG_DONTWAIT)
        self.sent += count
        return octets[count:]

    def new_error(self) -> OSError | None:
        """Why something could not be spooled; None after the first time."""
        if self._reported or self.error is None:
            return None
        self._reported = True
        return self.error

    def _take(self, segment: memoryview | FileSegment, count: int) -> None:
        if isinstance(segment, FileSegment):
            segment.position += count
            segment.count -= count
            if not segment.count:
                self._segments.popleft()
                if segment.own:
                    self._give_back(segment.descriptor)
        else:
            self._in_memory -= count
            if count == len(segment):
                self._segments.popleft()
            else:
                self._segments[0] = segment[count:]

    def fail(self, why: OSError) -> None:
        """Give up what is left."""
        self.failure = why
        self.close()

    def close(self) -> None:
        """Give back memory, descriptors and disk."""
        for segment in self._segments:
            if isinstance(segment, FileSegment) and segment.own:
                self._give_back(segment.descriptor)
        self._segments.clear()
        self._in_memory = 0
        if self._spooled is not None:
            self._spooled.close()
            self._spooled = None
        self._position = self._allocated = 0


def _send(sock: Transport, segment: memoryview | FileSegment, most: int) -> int:
    if not isinstance(segment, FileSegment):
        return sock.send(segment, socket.MSG_DONTWAIT)
    if not isinstance(sock, SocketType):  # over TLS the kernel cannot do it
        count = sock.send_range(segment.descriptor, segment.position, segment.count)
    else:
        if sock.gettimeout() != 0:
            sock.setblocking(False)  # sendfile has no flag for a single call
        count = os.sendfile(
            sock.fileno(), segment.descriptor, segment.position, min(segment.count, most)
        )
    if not count:
        # The file became shorter than it was: the response can only be truncated.
        raise ResponseCutError("the file shrank while it was being sent")
    return count
