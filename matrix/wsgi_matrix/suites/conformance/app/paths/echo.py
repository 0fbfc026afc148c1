"""What the app was called with, as JSON, to show how the server parsed a request.

``method, path, query, protocol`` as in environ; ``headers``: its ``HTTP_`` variables,
``CONTENT_TYPE`` and ``CONTENT_LENGTH``; ``body``: the content in hexadecimal, ``error``: the
exception while reading it, ``complete``: whether it was complete, as far as an app can tell.
Everything except the body is stored for :mod:`paths.seen` under the query.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from . import call_notes

PASSED_ON = ("CONTENT_TYPE", "CONTENT_LENGTH")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the content as PEP 3333 allows, and report everything."""
    body, complete, error = read(environ)
    report = {
        "method": environ.get("REQUEST_METHOD"),
        "path": environ.get("PATH_INFO"),
        "query": environ.get("QUERY_STRING"),
        "protocol": environ.get("SERVER_PROTOCOL"),
        "headers": {
            name: str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name in PASSED_ON
        },
        "body": body.hex(),
        "complete": complete,
        "error": error,
    }
    call_notes.note(str(environ.get("QUERY_STRING", "")), report)
    response = json.dumps(report).encode("ascii")
    length = str(len(response))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", length)])
    return [response]


def read(environ: dict[str, Any]) -> tuple[bytes, bool, str]:
    """The content, whether it is complete, and the exception while reading it."""
    length = environ.get("CONTENT_LENGTH") or ""
    body = b""
    try:
        if length.isascii() and length.isdigit():
            wanted = int(length)
            while len(body) < wanted and (more := environ["wsgi.input"].read(wanted - len(body))):
                body += more
            return body, len(body) == wanted, ""
        if environ.get("wsgi.input_terminated"):
            return environ["wsgi.input"].read(), True, ""
    except Exception as problem:
        return body, False, f"{type(problem).__name__}: {problem}"
    return b"", not length, f"Content-Length {length!r}" if length else ""
