"""The matrix's application without a framework: PEP 3333 by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = "text/plain; charset=utf-8"
ANSWERS = {
    "/hello": (TEXT, b"Hello, World!\n"),
    # Nothing is installed for this app, so there is no name and no version to report.
    "/framework": ("application/json", json.dumps({"framework": "", "version": ""}).encode()),
}


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer GET and HEAD on the two paths of the contract."""
    path = environ.get("PATH_INFO", "")  # may be absent when empty (PEP 3333, environ variables)
    method = environ["REQUEST_METHOD"]
    extra = []
    if path not in ANSWERS:
        status, (content_type, body) = "404 Not Found", (TEXT, b"Not Found\n")
    elif method not in ("GET", "HEAD"):
        status, (content_type, body) = "405 Method Not Allowed", (TEXT, b"Method Not Allowed\n")
        extra = [("Allow", "GET, HEAD")]
    else:
        status, (content_type, body) = "200 OK", ANSWERS[path]
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), *extra]
    start_response(status, headers)
    return [] if method == "HEAD" else [body]
