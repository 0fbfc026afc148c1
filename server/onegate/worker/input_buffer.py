"""``wsgi.input``: a request's content, in memory first, on disk past a size."""

from __future__ import annotations

import contextlib
from io import BytesIO

from onegate.http1 import ProtocolError
from onegate.process.spool import open_spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


class InputBuffer:
    """Collects the content of one request.

    ``memory``: octets kept in memory. ``spool``: directory for what is larger; None if no disk may
    be used, and then content over ``memory`` is refused with 413. ``content``: the first of it, not
    more than that.
    """

    __slots__ = ("_file", "_memory", "_spool", "length")

    def __init__(self, memory: int, spool: str | None, content: bytes = b"") -> None:
        self._memory = memory
        self._spool = spool
        self._file: IO[bytes] = BytesIO(content)
        self.length = len(content)

    def add(self, content: bytes) -> None:
        """Append ``content``. Raises :class:`ProtocolError` 413, or 507 if the disk is full."""
        before = self.length
        self.length += len(content)
        try:
            if before <= self._memory < self.length:
                self._move_to_disk()
            self._file.write(content)
        except OSError as error:
            raise ProtocolError(507, f"content cannot be spooled: {error}") from error

    def _move_to_disk(self) -> None:
        if self._spool is None:
            raise ProtocolError(
                413, "content exceeds --body-memory, and there is no spool directory"
            )
        memory = self._file
        assert isinstance(memory, BytesIO)
        # Buffered, not raw: the application may read it line by line.
        self._file = open_spool(self._spool)
        self._file.write(memory.getbuffer())

    def finish(self) -> IO[bytes]:
        """The content as a file at its beginning. It simulates the end of the stream.

        Raises :class:`ProtocolError` 507 if the disk is full.
        """
        try:
            self._file.seek(0)  # writes what is still in the file's buffer
        except OSError as error:
            raise ProtocolError(507, f"content cannot be spooled: {error}") from error
        return self._file

    def close(self) -> None:
        """Give back the memory or the disk."""
        # A file that cannot write its buffer says so here once more; it is closed all the same.
        with contextlib.suppress(OSError):
            self._file.close()
