"""The matrix's application in Bottle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bottle import Bottle, HTTPError, HTTPResponse, redirect, request, response, static_file

FILES = Path(__file__).parent / "files"
TEXT = "text/plain; charset=utf-8"

app = Bottle()


@app.error(405)
def method_not_allowed(error: HTTPError) -> str:
    """Answer OPTIONS, for which Bottle has nothing, with the ``Allow`` that it has found."""
    if request.method == "OPTIONS":
        response.status = 200
        if "GET" in response.headers["Allow"]:
            response.headers["Allow"] += ",HEAD"  # which Bottle answers, and does not name
        return ""
    return str(app.default_error_handler(error))


@app.get("/hello")
def hello() -> str:
    # Bottle's default is text/html with charset=UTF-8. It adds Content-Length behind this field.
    response.content_type = "text/plain; charset=utf-8"
    return "Hello, World!\n"


@app.get("/framework")
def framework() -> dict[str, str]:
    return {"framework": "bottle", "version": version("bottle")}


@app.route("/echo", method=["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
def echo() -> dict[str, Any]:
    body = request.body.read()
    return {
        "method": request.method,
        "type": request.content_type,
        "length": len(body),
        "sha256": sha256(body).hexdigest(),
    }


@app.get("/query")
def query() -> dict[str, Any]:
    values = request.query.decode()
    return {name: values.getall(name) for name in values}


@app.post("/form")
def form() -> dict[str, Any]:
    files = []
    for field, file in request.files.allitems():
        content = file.file.read()
        digest = sha256(content).hexdigest()
        # `filename` would be what is safe as the name of a file.
        files.append(
            {"field": field, "name": file.raw_filename, "size": len(content), "sha256": digest}
        )
    values = request.forms.decode()
    return {"fields": {name: values.getall(name) for name in values}, "files": files}


@app.get("/path/<text>")
def path(text: str) -> dict[str, str]:
    return {"text": text}


@app.get("/headers")
def headers() -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower().startswith("x-")
    }


@app.get("/cookies")
def cookies() -> dict[str, str]:
    response.set_cookie("first", "1", path="/")
    response.set_cookie("second", "2", path="/", httponly=True)
    return dict(request.cookies.decode())


@app.get("/redirect")
def to_hello() -> None:
    redirect("/hello", 302)


@app.get("/status/<code:int>")
def status(code: int) -> HTTPResponse:
    body = "" if code in (204, 304) else f"{code}\n"
    return HTTPResponse(body, status=code, content_type=TEXT)


@app.get("/error")
def error() -> None:
    raise RuntimeError("a secret of the application")


@app.get("/stream")
def stream() -> Iterator[str]:
    response.content_type = TEXT
    for number in range(5):
        yield f"line {number}\n"


@app.get("/bytes/<size:int>")
def octets(size: int) -> bytes:
    response.content_type = "application/octet-stream"
    return (bytes(range(256)) * (size // 256 + 1))[:size]


@app.get("/file/<name>")
def file(name: str) -> HTTPResponse:
    return static_file(name, root=FILES)


@app.get("/slow")
def slow() -> str:
    time.sleep(0.2)
    response.content_type = TEXT
    return "slow\n"
