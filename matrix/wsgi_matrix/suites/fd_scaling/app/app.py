"""The app of the limits: it says hello and needs nothing, so that the server is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Hello, World!\n"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Greet, as ``/hello`` of every app does."""
    fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(BODY)))]
    start_response("200 OK", fields)
    return [BODY]
