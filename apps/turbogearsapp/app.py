"""The matrix's application in TurboGears."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tg import (
    MinimalApplicationConfigurator,
    TGController,
    abort,
    expose,
    redirect,
    request,
    response,
    use_wsgi_app,
)
from tg.request_local import Response
from webob.static import FileApp

FILES = Path(__file__).parent / "files"
READ = ["GET", "HEAD"]
ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]


def text(content: str, status: int = 200) -> Response:
    return Response(content, status=status, content_type="text/plain", charset="utf-8")


def as_json(value: Any) -> Response:
    # expose("json") would write "application/json; charset=utf-8".
    return Response(json_body=value, content_type="application/json")


class RootController(TGController):
    """One method for each path."""

    def _before(self, *args: str, **fields: str) -> None:
        """Answer ``/hello/`` with 404: TurboGears calls the view of ``/hello`` for it."""
        if request.path_info.endswith("/"):
            abort(404)

    @expose(allowed_methods=READ)
    def hello(self) -> Response:
        return text("Hello, World!\n")

    @expose(allowed_methods=READ)
    def framework(self) -> Response:
        return as_json({"framework": "turbogears2", "version": version("turbogears2")})

    @expose(allowed_methods=ANY)
    def echo(self) -> Response:
        body = request.body
        return as_json(
            {
                "method": request.method,
                "type": request.headers.get("Content-Type", ""),
                "length": len(body),
                "sha256": sha256(body).hexdigest(),
            }
        )

    @expose(allowed_methods=READ)
    def query(self, **fields: str) -> Response:
        return as_json(request.GET.dict_of_lists())

    @expose(allowed_methods=["POST"])
    def form(self, **values: Any) -> Response:
        fields: dict[str, list[str]] = {}
        files = []
        for field, value in request.POST.items():
            if isinstance(value, str):
                fields.setdefault(field, []).append(value)
                continue
            content = value.file.read()
            found = {"field": field, "name": value.filename, "size": len(content)}
            files.append({**found, "sha256": sha256(content).hexdigest()})
        return as_json({"fields": fields, "files": files})

    @expose(allowed_methods=READ)
    def path(self, text: str) -> Response:
        return as_json({"text": text})

    @expose(allowed_methods=READ)
    def headers(self) -> Response:
        named = {name.lower(): value for name, value in request.headers.items()}
        return as_json({name: value for name, value in named.items() if name.startswith("x-")})

    @expose(allowed_methods=READ)
    def cookies(self) -> Response:
        response.set_cookie("first", "1")
        response.set_cookie("second", "2", httponly=True)
        return as_json(dict(request.cookies))

    @expose(allowed_methods=READ)
    def redirect(self) -> None:
        redirect("/hello")

    @expose(allowed_methods=READ)
    def status(self, code: str) -> Response:
        if code in ("204", "304"):
            return Response(status=int(code))
        return text(f"{code}\n", int(code))

    @expose(allowed_methods=READ)
    def error(self) -> None:
        raise RuntimeError("a secret of the application")

    @expose(allowed_methods=READ)
    def stream(self) -> Response:
        def lines() -> Iterator[bytes]:
            for number in range(5):
                yield b"line %d\n" % number

        return Response(app_iter=lines(), content_type="text/plain", charset="utf-8")

    @expose(allowed_methods=READ)
    def bytes(self, size: str) -> Response:
        return Response(octets(int(size)), content_type="application/octet-stream")

    @expose(allowed_methods=READ)
    def file(self, name: str) -> Response:
        return use_wsgi_app(FileApp(FILES / name))

    @expose(allowed_methods=READ)
    def slow(self) -> Response:
        time.sleep(0.2)
        return text("slow\n")


def octets(size: int) -> bytes:
    """00 01 … FF 00 …, ``size`` of them."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


config = MinimalApplicationConfigurator()
config.update_blueprint(
    {
        "root_controller": RootController(),
        # Without this, a path that ends like the name of a file loses that end.
        "disable_request_extensions": True,
        # The default has no-cache in Cache-Control and Pragma.
        "tg.response_options": {"content_type": "text/html", "charset": "utf-8", "headers": {}},
    }
)
app = config.make_wsgi_app()
