"""Every kind of callable that can be an application (W2), and a count of imports (W3)."""

import record

record.note("callables imported")
HEADERS = [("Content-Type", "text/plain")]


def app(*arguments, **keywords):
    """Says how it was called (W1)."""
    arguments[1]("200 OK", list(HEADERS))
    return [f"{len(arguments)} positional, {len(keywords)} by name".encode()]


class Class:
    """An instance is the iterable."""

    def __init__(self, environ, start_response):
        start_response("200 OK", list(HEADERS))

    def __iter__(self):
        yield b"class"


class Other:
    def method(self, environ, start_response):
        start_response("200 OK", list(HEADERS))
        return [b"method"]

    def __call__(self, environ, start_response):
        start_response("200 OK", list(HEADERS))
        return [b"instance"]


instance = Other()
method = Other().method
