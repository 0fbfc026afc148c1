"""The app that servers are asked for the rules with: a path for each question."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Greet."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello, World!\n"]
