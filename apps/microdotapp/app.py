"""The matrix's application in Microdot."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from microdot.microdot import MultiDict
from microdot.multipart import FileUpload, FormDataIter
from microdot.wsgi import Microdot, Request, Response, redirect, send_file

FILES = Path(__file__).parent / "files"
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]

app = Microdot()
atexit.register(app.loop.close)  # its event loop, which Microdot itself never closes


def every(values: MultiDict) -> dict[str, list[str]]:
    """All values of each field of a query or a form."""
    return {name: values.getlist(name) for name in values}


@app.errorhandler(405)
async def method_not_allowed(request: Request) -> Response:
    """Name the methods: Microdot does that for OPTIONS alone."""
    return Response("405\n", 405, {**TEXT, **app.default_options_handler(request)})


@app.after_request
async def json_without_charset(request: Request, response: Response) -> None:
    """Microdot's default for JSON has a charset, which the type does not know."""
    if response.headers.get("Content-Type", "").startswith("application/json"):
        response.headers["Content-Type"] = "application/json"


@app.get("/hello")
async def hello(request: Request) -> Response:
    # Microdot's default is charset=UTF-8, and stands behind Content-Length.
    return Response("Hello, World!\n", headers=TEXT)


@app.get("/framework")
async def framework(request: Request) -> Any:
    return {"framework": "microdot", "version": version("microdot")}


@app.route("/echo", methods=ANY)
async def echo(request: Request) -> Any:
    return {
        "method": request.method,
        "type": request.headers.get("Content-Type", ""),
        "length": len(request.body),
        "sha256": sha256(request.body).hexdigest(),
    }


@app.get("/query")
async def query(request: Request) -> Any:
    return every(request.args)


@app.post("/form")
async def form(request: Request) -> Any:
    fields: dict[str, list[str]] = {}
    files = []
    if request.form is not None:
        fields = every(request.form)
    async for name, value in FormDataIter(request):
        if not isinstance(value, FileUpload):
            fields.setdefault(name, []).append(value)
            continue
        content = await value.read()
        digest = sha256(content).hexdigest()
        files.append(
            {"field": name, "name": value.filename, "size": len(content), "sha256": digest}
        )
    return {"fields": fields, "files": files}


@app.get("/path/<text>")
async def path(request: Request, text: str) -> Any:
    # What a server hands on: octets as latin-1 (PEP 3333). Microdot leaves them so.
    return {"text": text.encode("latin-1").decode()}


@app.get("/headers")
async def headers(request: Request) -> Any:
    named = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in named.items() if name.startswith("x-")}


@app.get("/cookies")
async def cookies(request: Request) -> Response:
    response = Response(dict(request.cookies))
    response.set_cookie("first", "1", path="/")
    response.set_cookie("second", "2", path="/", http_only=True)
    return response


@app.get("/redirect")
async def to_hello(request: Request) -> Response:
    return redirect("/hello")


@app.get("/status/<int:code>")
async def status(request: Request, code: int) -> Response:
    return Response("" if code in (204, 304) else f"{code}\n", code, TEXT)


@app.get("/error")
async def error(request: Request) -> None:
    raise RuntimeError("a secret of the application")


@app.get("/stream")
async def stream(request: Request) -> Response:
    def lines() -> Iterator[bytes]:
        for number in range(5):
            yield b"line %d\n" % number  # text would do on Microdot's own server alone

    return Response(lines(), headers=TEXT)


@app.get("/bytes/<int:size>")
async def octets(request: Request, size: int) -> Response:
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    return Response(body, headers={"Content-Type": "application/octet-stream"})


@app.get("/file/<name>")
async def file(request: Request, name: str) -> Any:
    if not (FILES / name).is_file():
        return "404\n", 404
    return send_file(str(FILES / name))


@app.get("/slow")
async def slow(request: Request) -> Response:
    await asyncio.sleep(0.2)
    return Response("slow\n", headers=TEXT)
