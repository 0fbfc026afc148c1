"""The matrix's application without a framework: PEP 3333 by hand."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from forms import read_body, read_multipart
from ranges import file_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = "text/plain; charset=utf-8"
FILES = Path(__file__).parent / "files"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a view answers. ``body``: octets, or blocks whose length nobody knows."""

    body: bytes | Iterable[bytes]
    content_type: str = TEXT
    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()


def as_json(value: object) -> Answer:
    """An answer of JSON."""
    return Answer(body=json.dumps(value).encode(), content_type="application/json")


def hello(_environ: WSGIEnvironment, _rest: str) -> Answer:
    return Answer(body=b"Hello, World!\n")


def framework(_environ: WSGIEnvironment, _rest: str) -> Answer:
    # Nothing is installed for this app, so there is no name and no version to report.
    return as_json({"framework": "", "version": ""})


def echo(environ: WSGIEnvironment, _rest: str) -> Answer:
    body = read_body(environ)
    return as_json(
        {
            "method": environ["REQUEST_METHOD"],
            "type": environ.get("CONTENT_TYPE", ""),
            "length": len(body),
            "sha256": sha256(body).hexdigest(),
        }
    )


def query(environ: WSGIEnvironment, _rest: str) -> Answer:
    return as_json(parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def form(environ: WSGIEnvironment, _rest: str) -> Answer:
    content_type, body = environ.get("CONTENT_TYPE", ""), read_body(environ)
    if content_type.startswith("multipart/form-data"):
        fields, files = read_multipart(content_type, body)
        return as_json({"fields": fields, "files": files})
    found = parse_qs(body.decode("ascii", "replace"), keep_blank_values=True)
    return as_json({"fields": found, "files": []})


def path(_environ: WSGIEnvironment, rest: str) -> Answer:
    return as_json({"text": rest.encode("latin-1").decode("utf-8", "replace")})


def headers(environ: WSGIEnvironment, _rest: str) -> Answer:
    names = [name for name in environ if name.startswith("HTTP_X_")]
    return as_json({name[5:].replace("_", "-").lower(): environ[name] for name in names})


def cookies(environ: WSGIEnvironment, _rest: str) -> Answer:
    arrived = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    answer = as_json({name: morsel.value for name, morsel in arrived.items()})
    fields = (("Set-Cookie", "first=1; Path=/"), ("Set-Cookie", "second=2; HttpOnly; Path=/"))
    return Answer(body=answer.body, content_type=answer.content_type, fields=fields)


def redirect(_environ: WSGIEnvironment, _rest: str) -> Answer:
    return Answer(status=302, body=b"", fields=(("Location", "/hello"),))


def status(_environ: WSGIEnvironment, rest: str) -> Answer:
    code = int(rest) if rest.isdigit() else 404
    return Answer(status=code, body=b"" if code in (204, 304) else b"%d\n" % code)


def error(_environ: WSGIEnvironment, _rest: str) -> Answer:
    raise RuntimeError("a secret of the application")


def stream(_environ: WSGIEnvironment, _rest: str) -> Answer:
    def lines() -> Iterator[bytes]:
        for number in range(5):
            yield b"line %d\n" % number

    return Answer(body=lines())


def octets(_environ: WSGIEnvironment, rest: str) -> Answer:
    size = int(rest)
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    return Answer(body=body, content_type="application/octet-stream")


def file(environ: WSGIEnvironment, rest: str) -> Answer:
    if rest != "numbers.txt":
        return status(environ, "404")
    code, fields, blocks = file_answer(environ, FILES / rest)
    return Answer(status=code, fields=tuple(fields), body=blocks)


def slow(_environ: WSGIEnvironment, _rest: str) -> Answer:
    time.sleep(0.2)
    return Answer(body=b"slow\n")


READ = ("GET", "HEAD")
ANY = (*READ, "POST", "PUT", "PATCH", "DELETE", "PROPFIND")
VIEWS: dict[str, tuple[tuple[str, ...], Callable[[WSGIEnvironment, str], Answer]]] = {
    "/hello": (READ, hello),
    "/framework": (READ, framework),
    "/echo": (ANY, echo),
    "/query": (READ, query),
    "/form": (("POST",), form),
    "/path/": (READ, path),
    "/headers": (READ, headers),
    "/cookies": (READ, cookies),
    "/redirect": (READ, redirect),
    "/status/": (READ, status),
    "/error": (READ, error),
    "/stream": (READ, stream),
    "/bytes/": (READ, octets),
    "/file/": (READ, file),
    "/slow": (READ, slow),
}
"""Methods and view by path; one that ends with a slash is followed by one more segment."""


def answer_to(environ: WSGIEnvironment) -> Answer:
    """Find the view and let it answer."""
    whole = environ.get("PATH_INFO", "")  # may be absent when empty (PEP 3333, environ variables)
    head, slash, rest = whole.rpartition("/")
    key, rest = (whole, "") if whole in VIEWS and not whole.endswith("/") else (head + slash, rest)
    if key not in VIEWS or (key.endswith("/") and not rest):
        return Answer(status=404, body=b"Not Found\n")
    allowed, view = VIEWS[key]
    method = environ["REQUEST_METHOD"]
    if method in allowed:
        return view(environ, rest)
    fields = (("Allow", ", ".join((*allowed, "OPTIONS"))),)
    if method == "OPTIONS":
        return Answer(body=b"", fields=fields)
    return Answer(status=405, body=b"Method Not Allowed\n", fields=fields)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The WSGI callable."""
    answer = answer_to(environ)
    code = answer.status
    fields = [] if code in (204, 304) else [("Content-Type", answer.content_type)]
    if isinstance(answer.body, bytes) and code not in (204, 304):
        fields.append(("Content-Length", str(len(answer.body))))
    start_response(f"{code} {HTTPStatus(code).phrase}", [*fields, *answer.fields])
    if environ["REQUEST_METHOD"] == "HEAD":
        if hasattr(answer.body, "close"):
            answer.body.close()
        return []
    return [answer.body] if isinstance(answer.body, bytes) else answer.body
