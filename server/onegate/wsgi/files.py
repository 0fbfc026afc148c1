"""``wsgi.file_wrapper`` (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any


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
        descriptor, text files, and objects whose own position is not the descriptor's content
        (a compressed file has a ``fileno`` too, of what is compressed).
        """
        filelike = self.filelike
        raw = getattr(filelike, "raw", filelike)
        if type(raw).__module__ != "_io" or "b" not in str(getattr(filelike, "mode", "")):
            return None
        try:
            descriptor: int = filelike.fileno()
            position: int = filelike.tell()
            status = os.fstat(descriptor)
        except (OSError, ValueError, AttributeError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return descriptor, position, max(0, status.st_size - position)
