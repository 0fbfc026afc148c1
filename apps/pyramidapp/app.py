"""The matrix's application in Pyramid."""

from importlib.metadata import version

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router
from pyramid.view import view_config


@view_config(route_name="hello", request_method="GET")  # GET implies HEAD
def hello(request: Request) -> Response:
    # WebOb spells its default "UTF-8"; the field has to be the same octets in every framework.
    return Response("Hello, World!\n", content_type="text/plain", charset="utf-8")


@view_config(route_name="framework", request_method="GET", renderer="json")
def framework(request: Request) -> dict[str, str]:
    return {"framework": "pyramid", "version": version("pyramid")}


def main() -> Router:
    """Make the WSGI application."""
    with Configurator() as config:
        config.add_route("hello", "/hello")
        config.add_route("framework", "/framework")
        config.scan(__name__)
        return config.make_wsgi_app()


app = main()
