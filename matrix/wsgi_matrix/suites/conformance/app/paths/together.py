"""``/together?NAME``: whether two calls of one name are in the app at the same time, as JSON.

``met``: whether the other came while this one was here; ``multithread``: what the environ says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import call_notes
from .response_helpers import json_response

WAIT = 0.5
"""Seconds for the other: where calls come one after the other, it never comes."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Wait for the other."""
    name = f"together {environ.get('QUERY_STRING', '')}"
    first = not call_notes.notes(name)
    call_notes.note(name, "came")
    met = len(call_notes.wait(name, 2, WAIT)) >= 2
    # A second call that came when the first had gone has not met anyone.
    met = met and "gone" not in call_notes.notes(name)
    if first:
        call_notes.note(name, "gone")
    return json_response(
        start_response, {"met": met, "multithread": bool(environ["wsgi.multithread"])}
    )
