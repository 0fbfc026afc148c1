"""The URL of the request, made anew as PEP 3333 says, "URL Reconstruction"."""

from wsgiref.util import request_uri


def app(environ, start_response):
    environ.pop("HTTP_HOST", None)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [request_uri(environ).encode()]
