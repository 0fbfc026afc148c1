"""start_response with what the query holds, a Python literal: (status, headers)."""

import ast
from urllib.parse import unquote


def app(environ, start_response):
    status, headers = ast.literal_eval(unquote(environ["QUERY_STRING"]))
    start_response(status, headers)
    return [b"content"]


def caught(environ, start_response):
    """Says what start_response raised."""
    status, headers = ast.literal_eval(unquote(environ["QUERY_STRING"]))
    try:
        start_response(status, headers)
    except (TypeError, ValueError) as error:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [type(error).__name__.encode()]
    return [b"accepted"]
