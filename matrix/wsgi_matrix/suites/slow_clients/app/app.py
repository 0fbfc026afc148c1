"""The app for slow clients: fast itself, so that only the clients are slow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

LARGE = 5 * 2**20
"""Octets: more than the kernel buffers for a client that does not read, and little work."""
BLOCK = 64 * 1024


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``GET /`` is short, ``GET /large`` is large, ``POST`` reads the content and counts it."""
    if environ["PATH_INFO"] == "/large":
        fields = [("Content-Type", "application/octet-stream"), ("Content-Length", str(LARGE))]
        start_response("200 OK", fields)
        return _large()
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = b"%d\n" % len(environ["wsgi.input"].read(length)) if length else b"hello\n"
    fields = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", fields)
    return [body]


def _large() -> Iterator[bytes]:
    for _ in range(LARGE // BLOCK):
        yield bytes(BLOCK)
