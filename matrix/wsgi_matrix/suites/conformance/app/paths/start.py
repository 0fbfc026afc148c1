"""``/start/NAME``: ``start_response`` and ``write``, used as PEP 3333 allows.

Where a rule is not about the framing, the response has its length: a client then need not wait
for a close that may come late.
"""

from __future__ import annotations

import gc
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import call_notes
from .blocks import SLOW

PLAIN = ("Content-Type", "text/plain")
Start = Callable[..., Any]


def _length(octets: int) -> tuple[str, str]:
    return ("Content-Length", str(octets))


def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Do what is named."""
    name = str(environ["PATH_INFO"]).removeprefix("/start/")
    return NAMES[name](start_response, str(environ.get("QUERY_STRING", "")))


def positional(start: Start, _: str) -> Iterable[bytes]:
    """Two arguments; the response is whether what came back can be called."""
    write = start("200 OK", [PLAIN, _length(8)])
    return [b"callable" if callable(write) else b"no write"]


def positional_three(start: Start, _: str) -> Iterable[bytes]:
    """Three arguments."""
    write = start("200 OK", [PLAIN, _length(8)], None)
    return [b"callable" if callable(write) else b"no write"]


def write_order(start: Start, _: str) -> Iterable[bytes]:
    """What is written comes before what is returned."""
    write = start("200 OK", [PLAIN, _length(13)])
    write(b"one ")
    write(b"two ")
    return [b"three"]


def write_sent(start: Start, _: str) -> Iterable[bytes]:
    """What is written has left before ``write`` returns."""
    write = start("200 OK", [PLAIN])
    write(b"one ")
    time.sleep(SLOW)
    return [b"two"]


def held(start: Start, _: str) -> Iterator[bytes]:
    """The head is not sent yet when the first block is requested: it can still be replaced."""
    start("200 OK", [PLAIN])
    return _replaced_late(start)


def _replaced_late(start: Start) -> Iterator[bytes]:
    try:
        raise ValueError("rules: before the first block")
    except ValueError:
        start("404 Not Found", [PLAIN], sys.exc_info())
    yield b"held"


def generator(start: Start, _: str) -> Iterator[bytes]:
    """``start_response`` is called when the first block is requested, not before."""
    start("201 Created", [PLAIN, _length(4), ("X-Rules", "yes")])
    yield b"made"


def empty_first(start: Start, _: str) -> Iterator[bytes]:
    """Empty blocks send no head: it can still be replaced."""
    start("200 OK", [PLAIN])
    yield b""
    yield b""
    try:
        raise ValueError("rules: after empty blocks")
    except ValueError:
        start("404 Not Found", [PLAIN], sys.exc_info())
    yield b"late"


def empty_between(start: Start, _: str) -> Iterator[bytes]:
    """An empty block is no end."""
    start("200 OK", [PLAIN])
    yield b"one "
    yield b""
    yield b"two"


def replaced(start: Start, _: str) -> Iterable[bytes]:
    """Another head, with exc_info, before anything was sent."""
    start("200 OK", [PLAIN, ("X-First", "yes")])
    try:
        raise ValueError("rules: replaced")
    except ValueError:
        start("404 Not Found", [PLAIN, ("X-Second", "yes")], sys.exc_info())
    return [b"replaced"]


def too_late(start: Start, token: str) -> Iterator[bytes]:
    """Another head, with exc_info, when the first was sent: that raises what exc_info holds."""
    call_notes.begin(token)
    start("200 OK", [PLAIN])
    yield b"sent"
    try:
        raise ZeroDivisionError("rules: too late")
    except ZeroDivisionError:
        try:
            start("500 Internal Server Error", [PLAIN], sys.exc_info())
        except BaseException as problem:
            call_notes.note(token, type(problem).__name__)
            raise
        call_notes.note(token, "nothing")
    yield b" on"


def twice(start: Start, _: str) -> Iterable[bytes]:
    """A second call without exc_info."""
    start("200 OK", [PLAIN])
    try:
        start("404 Not Found", [PLAIN])
    except Exception:
        return [b"refused"]
    return [b"accepted"]


def reference(start: Start, token: str) -> Iterable[bytes]:
    """Notes whether what was in a frame of the traceback is gone when that frame is."""

    class Thing:
        pass

    def fail() -> weakref.ref[Thing]:
        thing = Thing()
        try:
            raise ValueError("rules: referred to")
        except ValueError:
            start("200 OK", [PLAIN], sys.exc_info())
        return weakref.ref(thing)

    # The collector would free a cycle at some moment or other; without it, it stays.
    gc.disable()
    try:
        kept = fail()() is not None
    finally:
        gc.enable()
    call_notes.begin(token)
    call_notes.note(token, "kept" if kept else "freed")
    return [b"noted"]


def reason(start: Start, _: str) -> Iterable[bytes]:
    """A reason phrase of its own."""
    start("299 Fine By Me", [PLAIN, _length(4)])
    return [b"fine"]


def fields(start: Start, _: str) -> Iterable[bytes]:
    """Fields in an order and a spelling."""
    names = ("X-rules-B", "X-RULES-A", "x-Rules-C")
    start("200 OK", [PLAIN, _length(6), *((name, "yes") for name in names)])
    return [b"fields"]


def cookies(start: Start, _: str) -> Iterable[bytes]:
    """Two fields of one name."""
    start("200 OK", [PLAIN, _length(7), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [b"cookies"]


def latin_1(start: Start, _: str) -> Iterable[bytes]:
    """Every octet that a value may have beyond ASCII."""
    start("200 OK", [PLAIN, _length(7), ("X-Rules", "".join(map(chr, range(0xA0, 0x100))))])
    return [b"latin-1"]


def never(_: Start, __: str) -> Iterable[bytes]:
    """No call at all."""
    return [b"never"]


def plain(start: Start, _: str) -> Iterable[bytes]:
    """Nothing but what the app has to give."""
    start("200 OK", [PLAIN])
    return [b"plain"]


NAMES: dict[str, Callable[[Start, str], Iterable[bytes]]] = {
    "positional": positional,
    "positional-three": positional_three,
    "write-order": write_order,
    "write-sent": write_sent,
    "held": held,
    "generator": generator,
    "empty-first": empty_first,
    "empty-between": empty_between,
    "replaced": replaced,
    "too-late": too_late,
    "twice": twice,
    "reference": reference,
    "reason": reason,
    "fields": fields,
    "cookies": cookies,
    "latin-1": latin_1,
    "never": never,
    "plain": plain,
}
