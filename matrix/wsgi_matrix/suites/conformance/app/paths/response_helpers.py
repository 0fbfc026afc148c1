"""Responses that need nothing special of a server: one block, with its length."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def json_response(start_response: Callable[..., Any], value: Any) -> list[bytes]:
    """``value`` as JSON."""
    return text_response(start_response, json.dumps(value).encode("ascii"), "application/json")


def text_response(
    start_response: Callable[..., Any], body: bytes, kind: str = "text/plain"
) -> list[bytes]:
    """``body`` as it is."""
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
