"""A WSGI application with a large answer and a large content: what moves octets, not requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

LARGE = b"x" * 102_400
BLOCK = 65_536


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer ``/large`` with 100 KB, and any other path with the octets read from its content."""
    if environ["PATH_INFO"] == "/large":
        body = LARGE
    else:
        left = int(environ.get("CONTENT_LENGTH") or 0)
        count = 0
        while left and (block := environ["wsgi.input"].read(min(left, BLOCK))):
            count += len(block)
            left -= len(block)
        body = b"%d\n" % count
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
