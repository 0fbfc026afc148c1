"""Parses responses for checks and reports; the octets themselves are never changed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from wsgi_matrix.probe.agent.response_reader import ResponseReader, dechunk


@dataclass(frozen=True)
class Response:
    """One HTTP/1.x response. ``fields`` in order and spelling as sent; ``body`` without framing."""

    status_line: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        """Values of the fields called ``name``, in any case."""
        return [value for field, value in self.fields if field.lower() == name.lower()]


def split(raw: bytes, method: bytes = b"GET") -> Response:
    """Parse a complete response (from the probe). Interim responses before it are ignored."""
    reader = ResponseReader(method)
    reader.feed(raw)
    reader.end()
    start = raw.find(reader.head) + len(reader.head)
    lines = reader.head.split(b"\r\n")
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name, value.strip()))
    response = Response(lines[0], tuple(fields), raw[start:])
    if not response.body:
        return response  # to HEAD, for example, whose fields describe absent framing
    if b"chunked" in b",".join(response.values(b"transfer-encoding")).lower():
        return Response(lines[0], response.fields, dechunk(response.body))
    return response


PICTURES = {0x0D: "␍", 0x0A: "␊", 0x09: "␉", 0x1B: "␛", 0x7F: "␡"}
"""Control characters as Unicode control pictures, so that none reaches the terminal."""
BEFORE, AFTER = 60, 140
"""Characters of a line to show before and after the first that differs."""


def visible(text: str) -> str:
    """``text`` with its control characters made visible; CR LF is ``␍␊``."""
    return "".join(
        PICTURES.get(ord(x), f"\\x{ord(x):02x}") if ord(x) < 0x20 or 0x7F <= ord(x) < 0xA0 else x
        for x in text
    )


@dataclass(frozen=True)
class Unlike:
    """The first line in which two contents differ, and both versions of it."""

    line: int
    """The line number, from 1."""
    there: str
    here: str


def unlike(there: bytes, here: bytes) -> Unlike | None:
    """Where two contents first differ; ``None`` if nowhere. Long lines are cut."""
    lines = itertools.zip_longest(there.split(b"\n"), here.split(b"\n"))
    for number, (one, two) in enumerate(lines, 1):
        if one != two:
            return Unlike(number, *_excerpts(one, two))
    return None


def _excerpts(one: bytes | None, two: bytes | None) -> tuple[str, str]:
    a, b = ((each or b"").decode("utf-8", "backslashreplace") for each in (one, two))
    at = next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    begin, end = (at - BEFORE if at > BEFORE else 0), at + AFTER
    shown = [
        "…" * bool(begin) + visible(text[begin:end]) + "…" * (len(text) > end) for text in (a, b)
    ]
    gone = "(no such line)"
    return (gone if one is None else shown[0]), (gone if two is None else shown[1])


def where_differs(expected: bytes, got: bytes) -> str:
    """The first difference of two responses in words: which part, and the octets of both."""
    ours, theirs = expected.splitlines(keepends=True), got.splitlines(keepends=True)
    number = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    if number is None:
        if len(ours) == len(theirs):
            return "nothing"
        number = min(len(ours), len(theirs))
    head_lines = expected.partition(b"\r\n\r\n")[0].count(b"\r\n") + 1
    got_head_lines = got.partition(b"\r\n\r\n")[0].count(b"\r\n") + 1
    offset = next(
        (i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b),
        min(len(expected), len(got)),
    )
    if number == 0:
        part = "status line"
    elif number < max(head_lines, got_head_lines):
        part = f"header field {number}"
    else:
        start = expected.find(b"\r\n\r\n") + 4
        part = f"body, octet {offset - start}"
    return f"{part}: expected {_show(ours, number)}, got {_show(theirs, number)} (octet {offset})"


def _show(lines: list[bytes], number: int) -> str:
    if number >= len(lines):
        return "the end"
    line = lines[number]
    return repr(line if len(line) <= 200 else line[:200] + b"...")
