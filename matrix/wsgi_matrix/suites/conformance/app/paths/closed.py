"""``/closed?NAME``: notes of an earlier call as JSON; waits briefly until there are any.

If calls are served one at a time, the earlier one has ended by then, so that nothing is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import call_notes
from .response_helpers import json_response

WAIT = 1.0
"""Maximum seconds to wait."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``notes``: those under the name; ``attributes``, ``blocks``: of :mod:`paths.blocks`."""
    name = str(environ.get("QUERY_STRING", ""))
    notes = call_notes.wait(name, 1, WAIT)
    report = {
        "notes": notes,
        "attributes": call_notes.notes(f"{name} attributes"),
        "blocks": len(call_notes.notes(f"{name} blocks")),
    }
    return json_response(start_response, report)
