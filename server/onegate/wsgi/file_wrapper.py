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
    """An iterator over a file-like object, which the server may send with ``sendfile``.

    Nothing is read before a block is requested. All else is the file's own: ``close``,
    ``seekable``, ``seek``, ``tell``, ``read``, ``fileno``, ``name``, … exist exactly if the file
    has them. So a framework that takes a range out of the wrapper can go there, instead of reading
    all that is in front of it, and what is sent begins where the file then stands.
    """

    filelike: Any = None
    """Copy and pickle ask an object for its names before it has a file."""

    def __init__(self, filelike: Any, block_size: int = 8192) -> None:
        self.filelike = filelike
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block: bytes = self.filelike.read(self.block_size)
        if block:
            return block
        raise StopIteration

    def __getattr__(self, name: str) -> Any:
        if name[0] == "_":
            raise AttributeError(name)
        return getattr(self.filelike, name)

    def blocks(self) -> Iterator[bytes]:
        """The same for the server: without a call of Python for each block."""
        read, size = self.filelike.read, self.block_size
        while block := read(size):
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
