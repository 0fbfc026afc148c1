"""The matrix's application in Pecan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pecan import abort, expose, make_app, redirect, request, response
from pecan.hooks import PecanHook
from pecan.routing import route
from webob import Response

FILES = Path(__file__).parent / "files"
ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND")


def methods(*names: str) -> Callable[[Any], Any]:
    """Say which methods a controller takes; by itself, one that is exposed takes all of them."""

    def mark(controller: Any) -> Any:
        controller.methods = names
        return controller

    return mark


class Methods(PecanHook):
    """Answers what no controller takes: other methods with 405, ``/hello/`` with 404.

    Pecan's generic controllers and RestController know methods too, but not HEAD beside GET.
    """

    def before(self, state: Any) -> None:
        if state.request.path_info.endswith("/"):
            abort(404)
        allowed = getattr(state.controller, "methods", ("GET", "HEAD"))
        if state.request.method not in allowed:
            abort(405, headers=[("Allow", ", ".join(allowed))])


def text(content: str, status: int = 200) -> Response:
    # WebOb spells its default "UTF-8"; the field has to be the same octets in every framework.
    return Response(content, status=status, content_type="text/plain", charset="utf-8")


class Root:
    """One method for each path."""

    @expose()
    def hello(self) -> Response:
        return text("Hello, World!\n")

    @expose("json")
    def framework(self) -> dict[str, str]:
        return {"framework": "pecan", "version": version("pecan")}

    @expose("json")
    @methods(*ANY)
    def echo(self) -> dict[str, Any]:
        body = request.body
        return {
            "method": request.method,
            "type": request.headers.get("Content-Type", ""),  # `content_type` has no parameters
            "length": len(body),
            "sha256": sha256(body).hexdigest(),
        }

    @expose("json")
    def query(self) -> dict[str, Any]:
        return dict(request.GET.dict_of_lists())

    @expose("json")
    @methods("POST")
    def form(self) -> dict[str, Any]:
        fields: dict[str, list[str]] = {}
        files = []
        for field, value in request.POST.items():
            if isinstance(value, str):
                fields.setdefault(field, []).append(value)
                continue
            content = value.file.read()
            found = {"field": field, "name": value.filename, "size": len(content)}
            files.append({**found, "sha256": sha256(content).hexdigest()})
        return {"fields": fields, "files": files}

    @expose("json")
    def path(self, text: str) -> dict[str, str]:
        return {"text": text}

    @expose("json")
    def headers(self) -> dict[str, str]:
        named = {name.lower(): value for name, value in request.headers.items()}
        return {name: value for name, value in named.items() if name.startswith("x-")}

    @expose("json")
    def cookies(self) -> dict[str, str]:
        response.set_cookie("first", "1")
        response.set_cookie("second", "2", httponly=True)
        return dict(request.cookies)

    @expose()
    def redirect(self) -> None:
        redirect("/hello", code=302)

    @expose()
    def status(self, code: str) -> Response:
        if code in ("204", "304"):
            return Response(status=int(code))
        return text(f"{code}\n", int(code))

    @expose()
    def error(self) -> None:
        raise RuntimeError("a secret of the application")

    @expose()
    def stream(self) -> Response:
        def lines() -> Iterator[bytes]:
            for number in range(5):
                yield b"line %d\n" % number

        return Response(app_iter=lines(), content_type="text/plain", charset="utf-8")

    @expose()
    def octets(self, size: str) -> Response:
        body = (bytes(range(256)) * (int(size) // 256 + 1))[: int(size)]
        return Response(body, content_type="application/octet-stream")

    @expose()
    def file(self, name: str) -> Response:
        # Pecan serves files in debug mode alone, and reads whole what another application streams.
        if not (FILES / name).is_file():
            abort(404)
        content = (FILES / name).read_bytes()
        found = Response(content, content_type="text/plain", conditional_response=True)
        found.accept_ranges = "bytes"
        return found

    @expose()
    def slow(self) -> Response:
        time.sleep(0.2)
        return text("slow\n")


route(Root, "bytes", Root.octets)

# Without this, a path that ends like the name of a file loses that end.
app = make_app(Root(), guess_content_type_from_ext=False, hooks=[Methods()])
