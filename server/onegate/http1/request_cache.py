"""What a parser has read before: field lines, blocks of them, and whole heads of requests.

Ordinary traffic repeats itself: most field lines of a request were in an earlier one, and a
program that makes requests sends the same block of them each time, and often the same head. So a
line that was found valid is remembered with its reading, a block or a head that was seen twice with
what it means as a whole, and the next time costs one look-up. What holds secrets is never
remembered, and the memory is bounded.

A head that is remembered as a whole is not even copied: ``heads.get`` gives the same object each
time, and its owner keeps with it (``ready``) what it had made of it.
"""

from __future__ import annotations

from onegate.http1.cache import Cache
from onegate.http1.request_head import Head, copy_semantics

Line = tuple[int, str, str]
"""What a field line is to the message, its key and its value."""

SECRET = frozenset({"cookie", "authorization", "proxy-authorization"})
"""Names of the fields that are not remembered; nor is a block with one of them."""
_LONGEST_LINE = 256
_LONGEST_HEAD = 1024
_END = b"\r\n\r\n"
REMEMBERED = _LONGEST_HEAD + len(_END)
"""Octets of the longest head that is remembered as a whole."""


class RequestCache:
    """Of one parser, and with it of one thread at a time."""

    __slots__ = ("blocks", "heads", "lines")

    def __init__(self) -> None:
        self.lines: Cache[str, Line] = Cache(1024)
        self.blocks: Cache[tuple[int, bytes], Head] = Cache(256)
        """By the minor version, on which their meaning depends, and their octets."""
        self.heads: Cache[bytes, Head] = Cache(256)
        """With the empty line that ends them."""

    def add_line(self, line: str, reading: Line) -> None:
        """Remember a line that is valid and no secret, if it is not too long."""
        if len(line) <= _LONGEST_LINE:
            self.lines.store(line, reading)

    def add_block(self, head: Head, block: bytes) -> None:
        """Remember what a block says that holds no secret: ``head`` was read from it, with a target
        that has no authority."""
        key = head.minor, block
        if len(block) <= _LONGEST_HEAD and self.blocks.repeats(key):
            self.blocks.store(key, _copy(head))

    def add_head(self, head: Head, octets: bytes) -> None:
        """Remember a head whose block is remembered, if it has no content, and no query, which may
        be a secret."""
        bare = not head.chunked and not head.content_length and "?" not in head.target
        if bare and len(octets) <= _LONGEST_HEAD:
            key = octets + _END
            if self.heads.repeats(key):
                self.heads.store(key, _copy(head))


def _copy(head: Head) -> Head:
    """A copy for the cache alone: the fields of ``head`` become an environ."""
    copy = Head()
    copy.line = head.line
    copy.method = head.method
    copy.target = head.target
    copy.minor = head.minor
    copy.ready = None
    copy_semantics(copy, head)
    return copy
