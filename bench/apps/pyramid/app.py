"""The measured application in Pyramid: see ``bench/traffic.py`` for what it answers."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router


def hello(request: Request) -> Response:
    return Response("Hello, World!\n", content_type="text/plain", charset="utf-8")


def respond(request: Request, quantity: object = 0, note: object = "") -> Response:
    """Answer a request of the traffic."""
    identifier = request.headers["X-Request-ID"]
    who = request.cookies.get("session") or request.headers.get("Authorization", "")[-12:]
    text = (
        f"{request.method} {request.path}\n{request.GET.get('q', '')}\n{who}\n"
        f"{quantity} {note}\n{identifier}\n{'.' * (int(identifier[:3], 16) % 1500)}\n"
    )
    response = Response(text, content_type="text/plain", charset="utf-8")
    response.headers["X-Correlation-ID"] = identifier
    response.set_cookie("seen", identifier[:8])
    return response


def read(request: Request) -> Response:
    return respond(request)


def address(request: Request) -> Response:
    return respond(request, request.POST["quantity"], request.POST["note"])


def create(request: Request) -> Response:
    order = request.json_body
    return respond(request, order["quantity"], order["note"])


ROUTES = (
    ("hello", "/hello", "GET", hello),
    ("page", r"/catalog/{category}/{number:\d+}", "GET", read),
    ("search", "/api/search", "GET", read),
    ("lookup", r"/v1/orders/{number:\d+}", "GET", read),
    ("address", "/account/address", "POST", address),
    ("create", "/v1/orders", "POST", create),
)


def main() -> Router:
    """Make the WSGI application."""
    with Configurator() as config:
        for name, pattern, method, view in ROUTES:
            config.add_route(name, pattern)
            config.add_view(view, route_name=name, request_method=method)
        return config.make_wsgi_app()


app = main()
