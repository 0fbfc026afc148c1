"""``/respond/NAME``: responses that a server has to frame, to complete or to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

BODY = b"0123456789"
PLAIN = ("Content-Type", "text/plain")
LENGTH = ("Content-Length", str(len(BODY)))

Response = tuple[str, list[tuple[str, str]], list[bytes]]

RESPONSES: dict[str, Response] = {
    "plain": ("200 OK", [PLAIN, LENGTH], [BODY]),
    "unread": ("200 OK", [PLAIN, LENGTH], [BODY]),
    "204": ("204 No Content", [], []),
    "204-length": ("204 No Content", [LENGTH], []),
    "204-content": ("204 No Content", [PLAIN, LENGTH], [BODY]),
    "304-content": ("304 Not Modified", [LENGTH], [BODY]),
    "304-length": ("304 Not Modified", [LENGTH], []),
    "404": ("404 Not Found", [PLAIN, LENGTH], [BODY]),
    "reason": ("200 ", [PLAIN, LENGTH], [BODY]),
    "reason-none": ("200", [PLAIN, LENGTH], [BODY]),
    "banana": ("banana", [PLAIN, LENGTH], [BODY]),
    "two-digits": ("20 OK", [PLAIN, LENGTH], [BODY]),
    "coding": (
        "200 OK",
        [PLAIN, ("Transfer-Encoding", "chunked")],
        [b"a\r\n", BODY, b"\r\n0\r\n\r\n"],
    ),
    "both": ("200 OK", [PLAIN, LENGTH, ("Transfer-Encoding", "chunked")], [BODY]),
    "split-value": ("200 OK", [PLAIN, LENGTH, ("X-A", "a\r\nX-Split: yes")], [BODY]),
    "split-value-lf": ("200 OK", [PLAIN, LENGTH, ("X-A", "a\nX-Split: yes")], [BODY]),
    "split-value-cr": ("200 OK", [PLAIN, LENGTH, ("X-A", "a\rX-Split: yes")], [BODY]),
    "split-name": ("200 OK", [PLAIN, LENGTH, ("X-A: a\r\nX-Split", "yes")], [BODY]),
    "split-reason": ("200 OK\r\nX-Split: yes", [PLAIN, LENGTH], [BODY]),
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond as ``NAME`` says; ``stream``: with a generator, in pieces, without a length."""
    name = environ["PATH_INFO"].removeprefix("/respond/")
    if name == "stream":
        start_response("200 OK", [PLAIN])
        return _stream()
    status, fields, body = RESPONSES[name]
    start_response(status, list(fields))
    return body


def _stream() -> Iterator[bytes]:
    for octet in BODY:
        yield bytes([octet])
