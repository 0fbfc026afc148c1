"""``wsgi.file_wrapper`` (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_BUFFERED = (io.BufferedReader, io.BufferedRandom)


class FileWrapper:
    """An iterable over a file-like object, which the server may send with ``sendfile``.

    Nothing is read before the server asks. ``close`` exists exactly if the file has one.
    """

    def __init__(self, filelike: Any, block_size: int = 8192) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        while block := self.filelike.read(self.block_size):
            yield block

    def regular_file(self) -> tuple[int, int, int] | None:
        """Descriptor, current position and octets from there to the end of a regular file.

        None for everything that ``sendfile`` cannot be trusted with: pipes, objects without a
        descriptor, text files, and all objects of other types than the standard library's own
        for plain files. Those may have a ``fileno`` too, and yet not give what its file holds: one
        that decompresses, one that stops early, one that counts what it gives.
        """
        filelike = self.filelike
        kind = type(filelike)
        if (kind.__module__, kind.__name__) == ("tempfile", "_TemporaryFileWrapper"):
            # What NamedTemporaryFile returns. Not imported here: tempfile is large.
            filelike = filelike.file
        raw = filelike.raw if type(filelike) in _BUFFERED else filelike
        if type(raw) is not io.FileIO:
            return None
        try:
            if not filelike.readable():
                return None
            descriptor: int = filelike.fileno()
            position: int = filelike.tell()
            status = os.fstat(descriptor)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return descriptor, position, max(0, status.st_size - position)
