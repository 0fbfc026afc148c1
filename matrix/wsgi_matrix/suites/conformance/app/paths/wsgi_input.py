"""``/input?read:4;readline;rest``: calls on ``wsgi.input``, one after the other.

The response is a JSON list of what each gave (latin-1), or ``{"raised": type}``. ``list`` is
iteration to the end, ``next`` one step of it. What came is also noted for ``/seen`` and
``/closed``, under the whole query: nothing is noted if the app is never called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import call_notes
from .response_helpers import json_response


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Take the steps that the query names."""
    query = str(environ.get("QUERY_STRING", ""))
    call_notes.begin(query)
    report = [_take(environ["wsgi.input"], step) for step in query.partition("&")[0].split(";")]
    terminated = bool(environ.get("wsgi.input_terminated"))
    length = environ.get("CONTENT_LENGTH") or ""
    call_notes.note(query, {"gave": report, "length": length, "terminated": terminated})
    return json_response(start_response, report)


def _take(stream: Any, step: str) -> Any:
    name, _, size = step.partition(":")
    arguments = [int(size)] if size else []
    try:
        if name == "list":
            return [line.decode("latin-1") for line in stream]
        if name == "next":
            return next(iter(stream)).decode("latin-1")
        given = getattr(stream, name)(*arguments)
        if isinstance(given, list):
            return [line.decode("latin-1") for line in given]
        return given.decode("latin-1")
    except Exception as problem:
        return {"raised": type(problem).__name__}
