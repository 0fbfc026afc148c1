"""The matrix's application without a framework: PEP 3333 by hand."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from hashlib import sha256
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = "text/plain; charset=utf-8"
FILES = Path(__file__).parent / "files"
BLOCK = 8192
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")


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


def read_body(environ: WSGIEnvironment) -> bytes:
    """The whole body: to its end where the server says that it has one, else by its length."""
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    length = environ.get("CONTENT_LENGTH") or "0"
    return bytes(environ["wsgi.input"].read(int(length)))


def read_multipart(
    content_type: str, body: bytes
) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    """Fields by name, and what is known of each file."""
    boundary = _parameters(content_type).get_param("boundary", header="content-type")
    fields: dict[str, list[str]] = {}
    files = []
    for part in body.split(b"--" + str(boundary).encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        # Browsers send names in UTF-8 as they are (RFC 7578 section 5.1.2).
        said = HeaderParser().parsestr(head.decode("utf-8", "replace"))
        name = str(said.get_param("name", header="content-disposition"))
        filename = said.get_param("filename", header="content-disposition")
        if filename is None:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
            continue
        digest = sha256(content).hexdigest()
        files.append({"field": name, "name": str(filename), "size": len(content), "sha256": digest})
    return fields, files


def _parameters(content_type: str) -> Message:
    message = Message()
    message["Content-Type"] = content_type
    return message


def file_answer(
    environ: WSGIEnvironment, path: Path
) -> tuple[int, list[tuple[str, str]], Iterable[bytes]]:
    """Status, fields and blocks. More than one range, or a malformed one, is ignored."""
    size = path.stat().st_size
    first, last = _wanted(environ.get("HTTP_RANGE", ""), size)
    fields = [("Accept-Ranges", "bytes"), ("Content-Length", str(max(0, last + 1 - first)))]
    if first > last:
        return 416, [*fields, ("Content-Range", f"bytes */{size}")], []
    partial = (first, last) != (0, size - 1)
    if partial:
        fields.append(("Content-Range", f"bytes {first}-{last}/{size}"))
    if environ["REQUEST_METHOD"] == "HEAD":
        return (206 if partial else 200), fields, []
    file = path.open("rb")  # closed by the wrapper, whose close() the server calls
    file.seek(first)
    # A server that has a wrapper sends from where the file stands as much as Content-Length says.
    wrapper = environ.get("wsgi.file_wrapper")
    blocks = wrapper(file, BLOCK) if wrapper else _blocks(file, last + 1 - first)
    return (206 if partial else 200), fields, blocks


def _blocks(file: IO[bytes], left: int) -> Iterator[bytes]:
    with file:
        while left and (block := file.read(min(left, BLOCK))):
            left -= len(block)
            yield block


def _wanted(field: str, size: int) -> tuple[int, int]:
    found = RANGE.fullmatch(field)
    if not found or found.groups() == ("", ""):
        return 0, size - 1
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last or size), size - 1)


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
        return []
    return [answer.body] if isinstance(answer.body, bytes) else answer.body
