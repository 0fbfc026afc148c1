"""``/raising/NAME``: exceptions in the app, of every kind and at every point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

PLAIN = ("Content-Type", "text/plain")
MESSAGE = "rules-secret"
"""Part of the text of every exception, which no client may see."""

KINDS: dict[str, tuple[type[BaseException], Any]] = {
    # For gunicorn, the exit status of a worker that could not start.
    "SystemExit": (SystemExit, 3),
    "KeyboardInterrupt": (KeyboardInterrupt, MESSAGE),
    "GeneratorExit": (GeneratorExit, MESSAGE),
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Raise."""
    name = str(environ["PATH_INFO"]).removeprefix("/raising/")
    if name in KINDS:
        kind, argument = KINDS[name]
        raise kind(argument)
    if name == "first":
        raise RuntimeError(MESSAGE)
    start_response("200 OK", [PLAIN])
    if name == "started":
        raise RuntimeError(MESSAGE)
    return _later() if name == "later" else map(_fail, [b""])


def _fail(_: bytes) -> bytes:
    raise RuntimeError(MESSAGE)


def _later() -> Iterator[bytes]:
    yield b"one "
    raise RuntimeError(MESSAGE)
