"""A part of a page that is generated: ``<!-- NAME -->``, a line or more, ``<!-- /NAME -->``."""

from __future__ import annotations


class BlockError(Exception):
    """A page has no such block, or more than one. The text names both."""


def fill(text: str, name: str, content: str) -> str:
    """``text`` with ``content`` between the marks of the block ``name``.

    Raises :class:`BlockError`.
    """
    begin, end = _find(text, name)
    return f"{text[:begin]}\n{content.strip()}\n\n{text[end:]}"


def read(text: str, name: str) -> str:
    """What is between the marks of the block ``name``. Raises :class:`BlockError`."""
    begin, end = _find(text, name)
    return text[begin:end].strip()


def _find(text: str, name: str) -> tuple[int, int]:
    """Where the content begins and ends: after the line of one mark, before that of the other."""
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if (text.count(first), text.count(last)) != (1, 1) or text.index(first) > text.index(last):
        raise BlockError(f"there is no {first.strip()} … {last}, or more than one of them")
    return text.index(first) + len(first), text.index(last)
