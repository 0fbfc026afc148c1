"""The matrix's application in Pyramid."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPNotFound
from pyramid.request import Request
from pyramid.response import FileResponse, Response
from pyramid.router import Router
from pyramid.view import view_config

FILES = Path(__file__).parent / "files"
ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND")
READ = ("GET", "HEAD")
ROUTES = {
    "hello": ("/hello", READ),
    "framework": ("/framework", READ),
    "echo": ("/echo", ANY),
    "query": ("/query", READ),
    "form": ("/form", ("POST",)),
    "path": ("/path/{text}", READ),
    "headers": ("/headers", READ),
    "cookies": ("/cookies", READ),
    "redirect": ("/redirect", READ),
    "status": (r"/status/{code:\d+}", READ),
    "error": ("/error", READ),
    "stream": ("/stream", READ),
    "bytes": (r"/bytes/{size:\d+}", READ),
    "file": ("/file/{name}", READ),
    "slow": ("/slow", READ),
}
"""Patterns, and the methods that OPTIONS names."""


@view_config(route_name="hello", request_method="GET")  # GET implies HEAD
def hello(request: Request) -> Response:
    # WebOb spells its default "UTF-8"; the field has to be the same octets in every framework.
    return Response("Hello, World!\n", content_type="text/plain", charset="utf-8")


@view_config(route_name="framework", request_method="GET", renderer="json")
def framework(request: Request) -> dict[str, str]:
    return {"framework": "pyramid", "version": version("pyramid")}


@view_config(route_name="echo", request_method=ANY, renderer="json")
def echo(request: Request) -> dict[str, Any]:
    body = request.body
    return {
        "method": request.method,
        "type": request.headers.get("Content-Type", ""),  # `content_type` has no parameters
        "length": len(body),
        "sha256": sha256(body).hexdigest(),
    }


@view_config(route_name="query", request_method="GET", renderer="json")
def query(request: Request) -> dict[str, Any]:
    return dict(request.GET.dict_of_lists())


@view_config(route_name="form", request_method="POST", renderer="json")
def form(request: Request) -> dict[str, Any]:
    fields: dict[str, list[str]] = {}
    files = []
    for field, value in request.POST.items():
        if isinstance(value, str):
            fields.setdefault(field, []).append(value)
            continue
        content = value.file.read()
        digest = sha256(content).hexdigest()
        files.append(
            {"field": field, "name": value.filename, "size": len(content), "sha256": digest}
        )
    return {"fields": fields, "files": files}


@view_config(route_name="path", request_method="GET", renderer="json")
def path(request: Request) -> dict[str, str]:
    return {"text": request.matchdict["text"]}


@view_config(route_name="headers", request_method="GET", renderer="json")
def headers(request: Request) -> dict[str, str]:
    named = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in named.items() if name.startswith("x-")}


@view_config(route_name="cookies", request_method="GET", renderer="json")
def cookies(request: Request) -> dict[str, str]:
    request.response.set_cookie("first", "1")
    request.response.set_cookie("second", "2", httponly=True)
    return dict(request.cookies)


@view_config(route_name="redirect", request_method="GET")
def redirect(request: Request) -> HTTPFound:
    return HTTPFound("/hello")


@view_config(route_name="status", request_method="GET")
def status(request: Request) -> Response:
    code = int(request.matchdict["code"])
    if code in (204, 304):
        return Response(status=code)
    return Response(f"{code}\n", status=code, content_type="text/plain", charset="utf-8")


@view_config(route_name="error", request_method="GET")
def error(request: Request) -> Response:
    raise RuntimeError("a secret of the application")


@view_config(route_name="stream", request_method="GET")
def stream(request: Request) -> Response:
    def lines() -> Iterator[bytes]:
        for number in range(5):
            yield b"line %d\n" % number

    return Response(app_iter=lines(), content_type="text/plain", charset="utf-8")


@view_config(route_name="bytes", request_method="GET")
def octets(request: Request) -> Response:
    size = int(request.matchdict["size"])
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    return Response(body, content_type="application/octet-stream")


@view_config(route_name="file", request_method="GET")
def file(request: Request) -> FileResponse:
    if request.matchdict["name"] != "numbers.txt":
        raise HTTPNotFound
    return FileResponse(FILES / "numbers.txt", request=request)


@view_config(route_name="slow", request_method="GET")
def slow(request: Request) -> Response:
    time.sleep(0.2)
    return Response("slow\n", content_type="text/plain", charset="utf-8")


def options(request: Request) -> Response:
    """Answer OPTIONS, for which Pyramid has nothing, on every route."""
    _, allowed = ROUTES[request.matched_route.name]
    return Response(allow=allowed)


def main() -> Router:
    """Make the WSGI application."""
    with Configurator() as config:
        for name, (pattern, _) in ROUTES.items():
            config.add_route(name, pattern)
            config.add_view(options, route_name=name, request_method="OPTIONS")
        config.scan(__name__)
        return config.make_wsgi_app()


app = main()
