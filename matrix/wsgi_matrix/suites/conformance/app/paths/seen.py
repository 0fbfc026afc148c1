"""``/seen?NAME``: what earlier calls noted under ``NAME`` (:mod:`paths.call_notes`), as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from . import call_notes


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Report it."""
    response = json.dumps(call_notes.notes(str(environ.get("QUERY_STRING", "")))).encode("ascii")
    length = str(len(response))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", length)])
    return [response]
