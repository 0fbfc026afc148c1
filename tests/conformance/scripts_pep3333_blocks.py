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
    json_response,
    ok,
    one,
    two,
)

HEAD = b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n"
BLOCK = b"4\r\none \r\n"
REST = b"3\r\ntwo\r\n0\r\n\r\n"
LENGTH_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n01234"
OCTETS = bytes(range(256)) + bytes(range(255, -1, -1))
DIGITS = b"0123456789"


def _closed(times: int, *, blocks: int = 2, touched: Iterable[str] = ()) -> bytes:
    return json_response(
        {"notes": ["closed"] * times, "blocks": blocks, "attributes": list(touched)}
    )


def _end(times: int, response: bytes = chunks(b"one ", b"two")) -> Scripts:
    return two(response, _closed(times))


def _gone(times: int, blocks: int) -> Scripts:
    first: Script = (HEAD_END, HEAD + BLOCK)
    return (first, (HEAD_END, _closed(times, blocks=blocks)))


def _alive(last: bytes | str) -> Scripts:
    failed: Script = (HEAD_END, ERROR)
    return (failed, failed, failed, (HEAD_END, last))


def _inspected(read: int = 0, close: tuple[bool, bool] = (False, True), **other: bool) -> Scripts:
    return one(json_response({"read": read, "iterable": True, "close": close, **other}))


CLOSE_SCENARIOS = (
    "iterable/close-called-once/end",
    "iterable/close-called-once/error",
    "iterable/close-called-once/1.0",
    "iterable/close-called-once/not-modified",
    "iterable/close-called-once/file",
    "file-wrapper/close/called",
)
LATE = Pause(PROMPT + 0.2)
"""What comes behind it is a timeout's, not the response's."""
BARE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
HEADLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
SLOWLY: Script = (HEAD_END, HEAD + BLOCK, Pause(0.3), REST)
AT_ONCE: Script = (HEAD_END, Pause(0.3), HEAD + BLOCK + REST)
SLOWLY_1_0: Script = (HEAD_END, BARE + b"one ", Pause(0.3), b"two", FIN)
AT_ONCE_1_0: Script = (HEAD_END, BARE, Pause(0.3), b"one two", FIN)
SECRET = ok(b"RuntimeError: rules-secret", status=b"500 Internal Server Error")
TOO_LONG = (one(LENGTH_5 + b"56789"), one(ok(DIGITS)), one(LENGTH_5 + ERROR))
RAISING = (
    "errors/exception-before-the-head/first",
    "errors/exception-before-the-head/started",
    "errors/exception-before-the-head/iterating",
)
WRAPPED = {
    "file-wrapper/position/file": DIGITS,
    "file-wrapper/position/file-from-4": b"456789",
    "file-wrapper/position/bytes-from-4": b"456789",
    "file-wrapper/content-length/file-first-4": b"0123",
    "file-wrapper/content-length/bytes-first-4": b"0123",
    "file-wrapper/content-length/file-from-4-first-4": b"4567",
    "file-wrapper/read-only/bytes": DIGITS,
    "file-wrapper/read-only/read": DIGITS,
    "file-wrapper/middleware/joined": DIGITS,
    "file-wrapper/middleware/upper": DIGITS,
}

GREEN: dict[str, Scripts] = {
    "write/sent-at-once/sent": (SLOWLY,),
    "start-response/never-called": one(ERROR),
    **{name: _end(1) for name in CLOSE_SCENARIOS},
    "iterable/close-called-once/head": _end(1, HEADLESS),
    "iterable/close-called-once/gone": _gone(1, 9),
    "iterable/other-attributes": two(chunks(b"one ", b"two"), _closed(1)),
    "iterable/sent-block-by-block": (SLOWLY,),
    "iterable/sent-block-by-block/1.0": (SLOWLY_1_0,),
    "iterable/octets-unchanged": one(ok(OCTETS)),
    "iterable/length-of-one-block": one(ok(b"one")),
    "iterable/more-than-content-length/longer": one(LENGTH_5),
    "iterable/more-than-content-length/longer-one": one(ERROR),
    "iterable/more-than-content-length/longer-asked": one(LENGTH_5, FIN),
    "iterable/less-than-content-length": one(
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n0123456789", FIN
    ),
    "iterable/without-content-length/1.1": one(BARE + b"one two", FIN),
    "iterable/without-content-length/file": one(chunks(DIGITS)),
    "iterable/without-content-length/1.0": one(BARE + b"one two", FIN),
    "iterable/block-not-bytes/list": one(ERROR),
    "iterable/block-not-bytes/asked": one(FIN),
    **{name: one(ERROR) for name in RAISING},
    "errors/exception-after-the-head": cut(b"one "),
    "errors/exception-after-the-head/text": cut(b"one "),
    "errors/exit-exceptions": _alive(json_response({})),
    "file-wrapper/unread": _inspected(),
    "file-wrapper/close/has": _inspected(close=(True, True)),
    **{name: one(ok(content)) for name, content in WRAPPED.items()},
    "iterable/client-disconnects/large": _gone(1, 9),
    "iterable/client-disconnects/small": _gone(1, 3),
}
RED: dict[str, tuple[Scripts, ...]] = {
    "write/sent-at-once/sent": ((AT_ONCE,), one(ERROR)),
    "start-response/never-called": (
        one(b"HTTP/1.1 None\r\n\r\n", FIN),
        one(ok(b"never")),
        one(FIN),
    ),
    **{name: (_end(0), _end(2)) for name in CLOSE_SCENARIOS},
    "iterable/close-called-once/head": (_end(0, HEADLESS), _end(2, HEADLESS)),
    "iterable/close-called-once/gone": (_gone(0, 512), _gone(2, 9)),
    "iterable/other-attributes": (two(chunks(b"one ", b"two"), _closed(1, touched=["fileno"])),),
    "iterable/sent-block-by-block": ((AT_ONCE,), one(ERROR)),
    "iterable/sent-block-by-block/1.0": ((AT_ONCE_1_0,), one(ERROR)),
    "iterable/octets-unchanged": (one(ok(OCTETS.replace(b"\n", b"\r\n"))), one(ok(OCTETS[:256]))),
    "iterable/length-of-one-block": (one(chunks(b"one")),),
    "iterable/more-than-content-length/longer": TOO_LONG,
    "iterable/more-than-content-length/longer-one": TOO_LONG,
    "iterable/more-than-content-length/longer-asked": TOO_LONG,
    "iterable/less-than-content-length": (
        one(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n0123456789"),
        one(ok(DIGITS), FIN),
        one(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n0123456789", LATE, FIN),
    ),
    "iterable/without-content-length/1.1": (
        one(BARE + b"one two"),
        one(ok(b"one ")),
        one(b"HTTP/1.1 200 OK\r\n\r\none two", LATE, FIN),
    ),
    "iterable/without-content-length/file": (one(chunks(DIGITS, end=False)), one(BARE + DIGITS)),
    "iterable/without-content-length/1.0": (
        one(chunks(b"one ", b"two")),
        one(BARE + b"one two"),
        one(BARE, FIN),
    ),
    "iterable/block-not-bytes/list": (cut(), one(ok(b"text")), one(chunks())),
    "iterable/block-not-bytes/asked": (cut(), one(ok(b"text")), one(chunks())),
    **{name: (one(SECRET), one(FIN), cut()) for name in RAISING},
    "errors/exception-after-the-head": (
        one(chunks(b"one ")),
        one(chunks(b"one ", end=False)),
        one(chunks(b"one ", end=False), LATE, FIN),
    ),
    "errors/exception-after-the-head/text": (
        one(chunks(b"one ", b"text")),
        one(chunks(b"one ", end=False)),
    ),
    "errors/exit-exceptions": (_alive(FIN), _alive(ERROR)),
    "file-wrapper/unread": (_inspected(read=1), _inspected(iterable=False), one(ERROR)),
    "file-wrapper/close/has": (
        _inspected(close=(False, False)),
        _inspected(close=(True, False)),
        one(ERROR),
    ),
    **{
        name: (one(ok(content + b"!")), one(ok(content) + b"!"), one(ok(b"")), one(ERROR))
        for name, content in WRAPPED.items()
    },
    "iterable/client-disconnects/large": (_gone(1, 512), _gone(0, 9), _gone(2, 9)),
    "iterable/client-disconnects/small": (_gone(1, 40), _gone(0, 3)),
}
