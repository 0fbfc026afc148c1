"""``/blocks/NAME``: iterables that a server must send block by block, and close."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import call_notes

PLAIN = ("Content-Type", "text/plain")
LARGE = b"x" * 65536
FULL, MANY = 64, 128
"""Large blocks: first as many as fill the kernel's buffers, and then one every ``STEP`` seconds.
Otherwise a server with its own buffers would take all before a slow client has disconnected."""
SMALL = 40
"""Small blocks, one every ``STEP`` seconds."""
STEP = 0.05
SLOW = 1.5
"""Seconds between two blocks, so that even a client on a busy host can tell which came first."""


class Closing:
    """An iterable that records the call of ``close``, and which of its attributes are accessed."""

    def __init__(self, token: str, blocks: Iterable[bytes]) -> None:
        self._token = token
        self._blocks = iter(blocks)

    def __iter__(self) -> Iterator[bytes]:
        """Itself; it can only be iterated once."""
        return self

    def __next__(self) -> bytes:
        """The next block."""
        return next(self._blocks)

    def __getattr__(self, name: str) -> Any:
        """Record an access to a missing attribute."""
        call_notes.note(f"{self._token} attributes", name)
        raise AttributeError(name)

    def close(self) -> None:
        """Record the call."""
        call_notes.note(self._token, "closed")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond according to the name; the query is the token."""
    name = str(environ["PATH_INFO"]).removeprefix("/blocks/")
    status, fields, blocks = BLOCKS[name]
    token = str(environ.get("QUERY_STRING", ""))
    if token:
        call_notes.begin(token, f"{token} attributes", f"{token} blocks")
        given: Iterable[bytes] = Closing(token, blocks(token))
    else:
        given = blocks(token)
    start_response(status, [*fields])
    return given


def _plain(_: str) -> list[bytes]:
    return [b"one ", b"two"]


def _one(_: str) -> list[bytes]:
    return [b"one"]


def _none(_: str) -> list[bytes]:
    return []


def _error(_: str) -> Iterator[bytes]:
    yield b"one "
    raise RuntimeError("rules: in the middle")


def _large(token: str) -> Iterator[bytes]:
    for number in range(MANY):
        call_notes.note(f"{token} blocks", 1)
        yield LARGE
        if number >= FULL:
            time.sleep(STEP)


def _small(token: str) -> Iterator[bytes]:
    for _ in range(SMALL):
        call_notes.note(f"{token} blocks", 1)
        yield b"small "
        time.sleep(STEP)


def _slow(_: str) -> Iterator[bytes]:
    yield b"one "
    time.sleep(SLOW)
    yield b"two"


def _octets(_: str) -> list[bytes]:
    return [bytes(range(256)), bytes(range(255, -1, -1))]


def _ten(_: str) -> list[bytes]:
    return [b"01234", b"56789"]


def _ten_one(_: str) -> list[bytes]:
    return [b"0123456789"]


def _ten_asked(_: str) -> Iterator[bytes]:
    yield b"01234"
    yield b"56789"


def _text(_: str) -> Any:
    return ["text"]


def _text_asked(_: str) -> Any:
    yield "text"


def _text_later(_: str) -> Any:
    yield b"one "
    yield "text"


def _length(octets: int) -> tuple[str, str]:
    return ("Content-Length", str(octets))


OK = "200 OK"
BLOCKS: dict[str, tuple[str, list[tuple[str, str]], Callable[[str], Iterable[bytes]]]] = {
    "plain": (OK, [PLAIN], _plain),
    "one": (OK, [PLAIN], _one),
    "not-modified": ("304 Not Modified", [], _none),
    "error": (OK, [PLAIN], _error),
    "large": (OK, [PLAIN], _large),
    "small": (OK, [PLAIN], _small),
    "slow": (OK, [PLAIN], _slow),
    "octets": (OK, [PLAIN, _length(512)], _octets),
    "longer": (OK, [PLAIN, _length(5)], _ten),
    "longer-one": (OK, [PLAIN, _length(5)], _ten_one),
    "longer-asked": (OK, [PLAIN, _length(5)], _ten_asked),
    "shorter": (OK, [PLAIN, _length(15)], _ten),
    "text": (OK, [PLAIN], _text),
    "text-asked": (OK, [PLAIN], _text_asked),
    "text-later": (OK, [PLAIN], _text_later),
}
