"""The matrix's application in web.py."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import web

FILES = Path(__file__).parent / "files"
TEXT = "text/plain; charset=utf-8"

# The default is a page with the sources and the environ for each error, on any server.
web.config.debug = False

urls = (
    "/hello", "Hello",
    "/framework", "Framework",
    "/echo", "Echo",
    "/query", "Query",
    "/form", "Form",
    "/path/([^/]+)", "PathText",
    "/headers", "Headers",
    "/cookies", "Cookies",
    "/redirect", "Redirect",
    r"/status/(\d+)", "Status",
    "/error", "Error",
    "/stream", "Stream",
    r"/bytes/(\d+)", "Octets",
    "/file/([^/]+)", "File",
    "/slow", "Slow",
)  # fmt: skip


def answer(content: bytes, media_type: str) -> bytes:
    """``content``, with the fields that web.py leaves to the application."""
    web.header("Content-Type", media_type)
    web.header("Content-Length", str(len(content)))
    return content


def as_json(value: Any) -> bytes:
    return answer(json.dumps(value).encode(), "application/json")


class Hello:
    def GET(self) -> bytes:
        return answer(b"Hello, World!\n", TEXT)


class Framework:
    def GET(self) -> bytes:
        return as_json({"framework": "web-py", "version": version("web.py")})


class Echo:
    def GET(self) -> bytes:
        body = web.data()
        return as_json(
            {
                "method": web.ctx.method,
                "type": web.ctx.env.get("CONTENT_TYPE", ""),
                "length": len(body),
                "sha256": sha256(body).hexdigest(),
            }
        )

    POST = PUT = PATCH = DELETE = PROPFIND = GET

    def OPTIONS(self) -> str:
        # web.py would name only those of GET, HEAD, POST, PUT and DELETE.
        web.header("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, PROPFIND")
        return ""


class Query:
    def GET(self) -> bytes:
        # web.input() has the last value of a name, unless a default says which have several.
        return as_json(parse_qs(web.ctx.query.removeprefix("?"), keep_blank_values=True))


class Form:
    def POST(self) -> bytes:
        form = web.input(_method="post", name=[], tag=[], empty=[], upload={})
        files = []
        if upload := form.pop("upload"):
            content = upload.file.read()
            found = {"field": "upload", "name": upload.filename, "size": len(content)}
            files.append({**found, "sha256": sha256(content).hexdigest()})
        return as_json(
            {"fields": {name: form[name] for name in form if form[name]}, "files": files}
        )


class PathText:
    def GET(self, text: str) -> bytes:
        return as_json({"text": text})


class Headers:
    def GET(self) -> bytes:
        named = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in web.ctx.env.items()
            if name.startswith("HTTP_X_")
        }
        return as_json(named)


class Cookies:
    def GET(self) -> bytes:
        web.setcookie("first", "1", path="/")
        web.setcookie("second", "2", httponly=True, path="/")
        return as_json(web.cookies())


class Redirect:
    def GET(self) -> None:
        raise web.found("/hello")


class Status:
    def GET(self, code: str) -> bytes:
        web.ctx.status = f"{code} {HTTPStatus(int(code)).phrase}"
        return b"" if code in ("204", "304") else answer(f"{code}\n".encode(), TEXT)


class Error:
    def GET(self) -> None:
        raise RuntimeError("a secret of the application")


class Stream:
    def GET(self) -> Iterator[str]:
        web.header("Content-Type", TEXT)
        for number in range(5):
            yield f"line {number}\n"


class Octets:
    def GET(self, size: str) -> bytes:
        content = (bytes(range(256)) * (int(size) // 256 + 1))[: int(size)]
        return answer(content, "application/octet-stream")


class File:
    """web.py serves files in its own server alone."""

    def GET(self, name: str) -> bytes:
        if not (FILES / name).is_file():
            raise web.notfound()
        return answer((FILES / name).read_bytes(), "text/plain")


class Slow:
    def GET(self) -> bytes:
        time.sleep(0.2)
        return answer(b"slow\n", TEXT)


app = web.application(urls, globals()).wsgifunc()
