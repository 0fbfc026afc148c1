"""``/closed?NAME``: notes of an earlier call, as JSON, once there are any: it waits a little.

Where one call is served at a time, the earlier one is over by then and nothing is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import call_notes
from .response_helpers import json_response

WAIT = 1.0
"""Seconds until there is nothing to be waited for any longer."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``notes``: under the name; ``attributes``, ``blocks``: of :mod:`paths.blocks`."""
    name = str(environ.get("QUERY_STRING", ""))
    notes = call_notes.wait(name, 1, WAIT)
    report = {
        "notes": notes,
        "attributes": call_notes.notes(f"{name} attributes"),
        "blocks": len(call_notes.notes(f"{name} blocks")),
    }
    return json_response(start_response, report)
