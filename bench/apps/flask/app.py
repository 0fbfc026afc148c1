"""The measured application in Flask: see ``bench/traffic.py`` for what it answers."""

from __future__ import annotations

from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/hello")
def hello() -> Response:
    return Response("Hello, World!\n", mimetype="text/plain")


def respond(quantity: object, note: object) -> Response:
    """Answer a request of the traffic."""
    identifier = request.headers["X-Request-ID"]
    who = request.cookies.get("session") or request.headers.get("Authorization", "")[-12:]
    text = (
        f"{request.method} {request.path}\n{request.args.get('q', '')}\n{who}\n"
        f"{quantity} {note}\n{identifier}\n{'.' * (int(identifier[:3], 16) % 1500)}\n"
    )
    response = Response(text, mimetype="text/plain")
    response.headers["X-Correlation-ID"] = identifier
    response.set_cookie("seen", identifier[:8])
    return response


@app.get("/catalog/<category>/<int:number>")
def page(category: str, number: int) -> Response:
    return respond(0, "")


@app.get("/api/search")
def search() -> Response:
    return respond(0, "")


@app.get("/v1/orders/<int:number>")
def lookup(number: int) -> Response:
    return respond(0, "")


@app.post("/account/address")
def address() -> Response:
    return respond(request.form["quantity"], request.form["note"])


@app.post("/v1/orders")
def create() -> Response:
    order = request.get_json()
    return respond(order["quantity"], order["note"])
