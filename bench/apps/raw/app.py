"""The measured application without a framework: see ``bench/traffic.py`` for what it answers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

WAIT = 0.005  # seconds


def _between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]


def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request of the traffic."""
    identifier = environ["HTTP_X_REQUEST_ID"]
    cookies = environ.get("HTTP_COOKIE", "")
    method = environ["REQUEST_METHOD"]
    who = (
        _between(cookies, "session=", ";")
        if cookies
        else environ.get("HTTP_AUTHORIZATION", "")[-12:]
    )
    quantity, note = 0, ""
    if method == "POST":
        content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode("ascii")
        if environ["CONTENT_TYPE"] == "application/json":
            values = json.loads(content)
        else:
            values = dict(parse_qsl(content))
        quantity, note = values["quantity"], values["note"]
    text = (
        f"{method} {environ['PATH_INFO']}\n"
        f"{_between('&' + environ.get('QUERY_STRING', ''), '&q=', '&')}\n"
        f"{who}\n{quantity} {note}\n{identifier}\n{'.' * (int(identifier[:3], 16) % 1500)}\n"
    )
    body = text.encode("ascii")
    fields = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("X-Correlation-ID", identifier),
        ("Set-Cookie", f"seen={identifier[:8]}; Path=/"),
    ]
    start_response("200 OK", fields)
    return [body]


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The WSGI callable."""
    path = environ["PATH_INFO"]
    if path in ("/hello", "/wait"):
        if path == "/wait":
            time.sleep(WAIT)
        body = b"Hello, World!\n"
        fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response("200 OK", fields)
        return [body]
    return respond(environ, start_response)
