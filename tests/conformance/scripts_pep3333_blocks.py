"""Scripts for the rules of iterables and files: W56 to W68, W72 to W77, W82; and of slow blocks."""

from __future__ import annotations

from collections.abc import Iterable

from wsgi_matrix.suites.conformance.parsed_transcript import PROMPT

from tests.conformance.scripted import FIN, Pause, Script
from tests.conformance.scripts_pep3333 import (
    CHUNKED,
    ERROR,
    HEAD_END,
    Scripts,
    chunks,
    cut,
    ok,
    one,
    tell,
    two,
)

HEAD = b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n"
BLOCK = b"4\r\none \r\n"
REST = b"3\r\ntwo\r\n0\r\n\r\n"
LENGTH_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n01234"
OCTETS = bytes(range(256)) + bytes(range(255, -1, -1))
DIGITS = b"0123456789"


def _closed(times: int, *, blocks: int = 2, touched: Iterable[str] = ()) -> bytes:
    return tell({"notes": ["closed"] * times, "blocks": blocks, "attributes": list(touched)})


def _end(times: int, answer: bytes = chunks(b"one ", b"two")) -> Scripts:
    return two(answer, _closed(times))


def _gone(times: int, blocks: int) -> Scripts:
    first: Script = (HEAD_END, HEAD + BLOCK)
    return (first, (HEAD_END, _closed(times, blocks=blocks)))


def _alive(last: bytes | str) -> Scripts:
    failed: Script = (HEAD_END, ERROR)
    return (failed, failed, failed, (HEAD_END, last))


def _inspected(read: int = 0, close: tuple[bool, bool] = (False, True), **other: bool) -> Scripts:
    return one(tell({"read": read, "iterable": True, "close": close, **other}))


CLOSE_TALKS = ("W57-end", "W57-error", "W57-1.0", "W57-not-modified", "W57-file", "W73-called")
LATE = Pause(PROMPT + 0.2)
"""What comes behind it is a time-out's, not the answer's."""
BARE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
HEADLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
SLOWLY: Script = (HEAD_END, HEAD + BLOCK, Pause(0.3), REST)
AT_ONCE: Script = (HEAD_END, Pause(0.3), HEAD + BLOCK + REST)
SLOWLY_1_0: Script = (HEAD_END, BARE + b"one ", Pause(0.3), b"two", FIN)
AT_ONCE_1_0: Script = (HEAD_END, BARE, Pause(0.3), b"one two", FIN)
SECRET = ok(b"RuntimeError: rules-secret", status=b"500 Internal Server Error")
TOO_LONG = (one(LENGTH_5 + b"56789"), one(ok(DIGITS)), one(LENGTH_5 + ERROR))
RAISING = ("W66-first", "W66-started", "W66-iterating")
WRAPPED = {
    "W74-file": DIGITS,
    "W74-file-from-4": b"456789",
    "W74-bytes-from-4": b"456789",
    "W75-file-first-4": b"0123",
    "W75-bytes-first-4": b"0123",
    "W75-file-from-4-first-4": b"4567",
    "W76-bytes": DIGITS,
    "W76-read": DIGITS,
    "W77-joined": DIGITS,
    "W77-upper": DIGITS,
}

GREEN: dict[str, Scripts] = {
    "W37-sent": (SLOWLY,),
    "W56": one(ERROR),
    **{name: _end(1) for name in CLOSE_TALKS},
    "W57-head": _end(1, HEADLESS),
    "W57-gone": _gone(1, 9),
    "W58": two(chunks(b"one ", b"two"), _closed(1)),
    "W59": (SLOWLY,),
    "W59-1.0": (SLOWLY_1_0,),
    "W60": one(ok(OCTETS)),
    "W61": one(ok(b"one")),
    "W62-longer": one(LENGTH_5),
    "W62-longer-one": one(ERROR),
    "W62-longer-asked": one(LENGTH_5, FIN),
    "W63": one(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n0123456789", FIN),
    "W64-1.1": one(BARE + b"one two", FIN),
    "W64-file": one(chunks(DIGITS)),
    "W64-1.0": one(BARE + b"one two", FIN),
    "W65-list": one(ERROR),
    "W65-asked": one(FIN),
    **{name: one(ERROR) for name in RAISING},
    "W67": cut(b"one "),
    "W67-text": cut(b"one "),
    "W68": _alive(tell({})),
    "W72": _inspected(),
    "W73-has": _inspected(close=(True, True)),
    **{name: one(ok(content)) for name, content in WRAPPED.items()},
    "W82-large": _gone(1, 9),
    "W82-small": _gone(1, 3),
}
RED: dict[str, tuple[Scripts, ...]] = {
    "W37-sent": ((AT_ONCE,), one(ERROR)),
    "W56": (one(b"HTTP/1.1 None\r\n\r\n", FIN), one(ok(b"never")), one(FIN)),
    **{name: (_end(0), _end(2)) for name in CLOSE_TALKS},
    "W57-head": (_end(0, HEADLESS), _end(2, HEADLESS)),
    "W57-gone": (_gone(0, 512), _gone(2, 9)),
    "W58": (two(chunks(b"one ", b"two"), _closed(1, touched=["fileno"])),),
    "W59": ((AT_ONCE,), one(ERROR)),
    "W59-1.0": ((AT_ONCE_1_0,), one(ERROR)),
    "W60": (one(ok(OCTETS.replace(b"\n", b"\r\n"))), one(ok(OCTETS[:256]))),
    "W61": (one(chunks(b"one")),),
    "W62-longer": TOO_LONG,
    "W62-longer-one": TOO_LONG,
    "W62-longer-asked": TOO_LONG,
    "W63": (
        one(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n0123456789"),
        one(ok(DIGITS), FIN),
        one(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n0123456789", LATE, FIN),
    ),
    "W64-1.1": (
        one(BARE + b"one two"),
        one(ok(b"one ")),
        one(b"HTTP/1.1 200 OK\r\n\r\none two", LATE, FIN),
    ),
    "W64-file": (one(chunks(DIGITS, end=False)), one(BARE + DIGITS)),
    "W64-1.0": (one(chunks(b"one ", b"two")), one(BARE + b"one two"), one(BARE, FIN)),
    "W65-list": (cut(), one(ok(b"text")), one(chunks())),
    "W65-asked": (cut(), one(ok(b"text")), one(chunks())),
    **{name: (one(SECRET), one(FIN), cut()) for name in RAISING},
    "W67": (
        one(chunks(b"one ")),
        one(chunks(b"one ", end=False)),
        one(chunks(b"one ", end=False), LATE, FIN),
    ),
    "W67-text": (one(chunks(b"one ", b"text")), one(chunks(b"one ", end=False))),
    "W68": (_alive(FIN), _alive(ERROR)),
    "W72": (_inspected(read=1), _inspected(iterable=False), one(ERROR)),
    "W73-has": (_inspected(close=(False, False)), _inspected(close=(True, False)), one(ERROR)),
    **{
        name: (one(ok(content + b"!")), one(ok(content) + b"!"), one(ok(b"")), one(ERROR))
        for name, content in WRAPPED.items()
    },
    "W82-large": (_gone(1, 512), _gone(0, 9), _gone(2, 9)),
    "W82-small": (_gone(1, 40), _gone(0, 3)),
}
