"""A file as an answer, whole or one range of it (RFC 9110 section 14), by ``wsgi.file_wrapper``."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import WSGIEnvironment

BLOCK = 8192
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")


def file_answer(
    environ: WSGIEnvironment, path: Path
) -> tuple[int, list[tuple[str, str]], Iterable[bytes]]:
    """Status, fields and blocks. More than one range, or a malformed one, is ignored."""
    size = path.stat().st_size
    first, last = _wanted(environ.get("HTTP_RANGE", ""), size)
    fields = [("Accept-Ranges", "bytes"), ("Content-Length", str(max(0, last + 1 - first)))]
    if first > last:
        return 416, [*fields, ("Content-Range", f"bytes */{size}")], []
    partial = (first, last) != (0, size - 1)
    if partial:
        fields.append(("Content-Range", f"bytes {first}-{last}/{size}"))
    file = path.open("rb")  # closed by the wrapper, whose close() the server calls
    file.seek(first)
    # A server that has a wrapper sends from where the file stands as much as Content-Length says.
    wrapper = environ.get("wsgi.file_wrapper")
    blocks = wrapper(file, BLOCK) if wrapper else _blocks(file, last + 1 - first)
    return (206 if partial else 200), fields, blocks


def _blocks(file: IO[bytes], left: int) -> Iterator[bytes]:
    with file:
        while left and (block := file.read(min(left, BLOCK))):
            left -= len(block)
            yield block


def _wanted(field: str, size: int) -> tuple[int, int]:
    found = RANGE.fullmatch(field)
    if not found or found.groups() == ("", ""):
        return 0, size - 1
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last or size), size - 1)
