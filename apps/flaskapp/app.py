"""The matrix's application in Flask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, redirect, request, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

FILES = Path(__file__).parent / "files"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]  # Flask adds HEAD and OPTIONS

app = Flask(__name__)


@app.get("/hello")
def hello() -> Response:
    return Response("Hello, World!\n", mimetype="text/plain")


@app.get("/framework")
def framework() -> dict[str, str]:
    return {"framework": "flask", "version": version("flask")}


@app.route("/echo", methods=METHODS)
def echo() -> dict[str, Any]:
    body = request.get_data()
    return {
        "method": request.method,
        "type": request.content_type or "",
        "length": len(body),
        "sha256": sha256(body).hexdigest(),
    }


@app.get("/query")
def query() -> dict[str, Any]:
    return request.args.to_dict(flat=False)


@app.post("/form")
def form() -> dict[str, Any]:
    files = []
    for field, file in request.files.items(multi=True):
        content = file.read()
        digest = sha256(content).hexdigest()
        files.append(
            {"field": field, "name": file.filename, "size": len(content), "sha256": digest}
        )
    return {"fields": request.form.to_dict(flat=False), "files": files}


@app.get("/path/<text>")
def path(text: str) -> dict[str, str]:
    return {"text": text}


@app.get("/headers")
def headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers if name.startswith("X-")}


@app.get("/cookies")
def cookies() -> Response:
    answer = jsonify(request.cookies)
    answer.set_cookie("first", "1")
    answer.set_cookie("second", "2", httponly=True)
    return answer


@app.get("/redirect")
def to_hello() -> BaseResponse:
    return redirect("/hello")


@app.get("/status/<int:code>")
def status(code: int) -> Response:
    body = "" if code in (204, 304) else f"{code}\n"
    return Response(body, status=code, mimetype="text/plain")


@app.get("/error")
def error() -> Response:
    raise RuntimeError("a secret of the application")


@app.get("/stream")
def stream() -> Response:
    def lines() -> Iterator[str]:
        for number in range(5):
            yield f"line {number}\n"

    return Response(lines(), mimetype="text/plain")


@app.get("/bytes/<int:size>")
def octets(size: int) -> Response:
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    return Response(body, mimetype="application/octet-stream")


@app.get("/file/<name>")
def file(name: str) -> Response:
    return send_from_directory(FILES, name)


@app.get("/slow")
def slow() -> Response:
    time.sleep(0.2)
    return Response("slow\n", mimetype="text/plain")
