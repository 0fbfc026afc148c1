"""The matrix's application in CherryPy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cherrypy
from cherrypy.lib.static import serve_file

FILES = Path(__file__).parent / "files"
TEXT = "text/plain; charset=utf-8"
ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]


@cherrypy.tools.register("before_handler")
def one_path() -> None:
    """Answer ``/hello/`` with 404: CherryPy calls the view of ``/hello`` for it."""
    if cherrypy.request.path_info.endswith("/"):
        raise cherrypy.NotFound


def no_server_fields() -> None:
    """Leave ``Server`` and ``Date`` to the server, as other frameworks do; CherryPy is one too.

    ``Allow`` stays on a 405, where it is required; tools.allow sets it on every response.
    """
    response = cherrypy.response
    for name in ("Server", "Date"):
        response.headers.pop(name, None)
    if response.status != 405:
        response.headers.pop("Allow", None)


cherrypy.tools.no_server_fields = cherrypy.Tool("before_finalize", no_server_fields, priority=90)
cherrypy.tools.nor_in_errors = cherrypy.Tool("after_error_response", no_server_fields)


def names(values: dict[str, Any]) -> dict[str, list[Any]]:
    """Each value of a query or a form as a list; CherryPy has one only if there are several."""
    return {name: each if isinstance(each, list) else [each] for name, each in values.items()}


def latin1(name: str) -> str:
    """The name of a file, which CherryPy decodes as latin-1, as what browsers send: UTF-8."""
    return name.encode("latin-1").decode()


class Root:
    """One method for each path."""

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    def hello(self) -> bytes:
        cherrypy.response.headers["Content-Type"] = TEXT
        return b"Hello, World!\n"

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    @cherrypy.tools.json_out()
    def framework(self) -> dict[str, str]:
        return {"framework": "cherrypy", "version": version("cherrypy")}

    @cherrypy.expose
    @cherrypy.tools.allow(methods=ANY)
    @cherrypy.tools.json_out()
    def echo(self) -> dict[str, Any]:
        request = cherrypy.request
        body = request.body.read() if request.process_request_body else b""
        return {
            "method": request.method,
            "type": request.headers.get("Content-Type", ""),
            "length": len(body),
            "sha256": sha256(body).hexdigest(),
        }

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    @cherrypy.tools.json_out()
    def query(self, **fields: Any) -> dict[str, Any]:
        return names(fields)

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["POST"])
    @cherrypy.tools.json_out()
    def form(self, **fields: Any) -> dict[str, Any]:
        files = []
        values: dict[str, list[str]] = {}
        for field, parts in names(fields).items():
            for part in parts:
                if isinstance(part, str):
                    values.setdefault(field, []).append(part)
                    continue
                content = part.file.read()
                found = {"field": field, "name": latin1(part.filename), "size": len(content)}
                files.append({**found, "sha256": sha256(content).hexdigest()})
        return {"fields": values, "files": files}

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    @cherrypy.tools.json_out()
    def path(self, text: str) -> dict[str, str]:
        return {"text": text}

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    @cherrypy.tools.json_out()
    def headers(self) -> dict[str, str]:
        named = {name.lower(): value for name, value in cherrypy.request.headers.items()}
        return {name: value for name, value in named.items() if name.startswith("x-")}

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    @cherrypy.tools.json_out()
    def cookies(self) -> dict[str, str]:
        cookie = cherrypy.response.cookie
        cookie["first"] = "1"
        cookie["first"]["path"] = "/"
        cookie["second"] = "2"
        cookie["second"]["path"] = "/"
        cookie["second"]["httponly"] = True
        return {name: each.value for name, each in cherrypy.request.cookie.items()}

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    def redirect(self) -> None:
        raise cherrypy.HTTPRedirect("/hello", 302)

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    def status(self, code: str) -> bytes:
        cherrypy.response.status = int(code)
        cherrypy.response.headers["Content-Type"] = TEXT
        return f"{code}\n".encode()

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    def error(self) -> None:
        raise RuntimeError("a secret of the application")

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    @cherrypy.config(**{"response.stream": True})
    def stream(self) -> Iterator[bytes]:
        cherrypy.response.headers["Content-Type"] = TEXT
        return (b"line %d\n" % number for number in range(5))

    @cherrypy.expose("bytes")
    @cherrypy.tools.allow(methods=["GET"])
    def octets(self, size: str) -> bytes:
        cherrypy.response.headers["Content-Type"] = "application/octet-stream"
        return (bytes(range(256)) * (int(size) // 256 + 1))[: int(size)]

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    def file(self, name: str) -> Any:
        return serve_file(str(FILES / name))

    @cherrypy.expose
    @cherrypy.tools.allow(methods=["GET"])
    def slow(self) -> bytes:
        time.sleep(0.2)
        cherrypy.response.headers["Content-Type"] = TEXT
        return b"slow\n"


cherrypy.config.update({"environment": "embedded"})
# None instead of a path: what the server says, in SCRIPT_NAME.
app = cherrypy.Application(
    Root(),
    script_name=None,
    config={
        "/": {
            "tools.one_path.on": True,
            "tools.no_server_fields.on": True,
            "tools.nor_in_errors.on": True,
            # It would write "text/plain;charset=utf-8"; the views return octets.
            "tools.encode.on": False,
        }
    },
)
