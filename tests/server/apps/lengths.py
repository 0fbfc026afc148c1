"""More or fewer octets than Content-Length says."""

import record


def app(environ, start_response):
    """Exactly as many."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"12", b"345"]


def long(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    for block in (b"123", b"45HTTP/1.1 200 OK\r\n\r\n", b"asked for in vain"):
        record.note(block.decode())
        yield block


def short(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"123"]


def short_generator(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    yield b"123"


def none_at_all(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return []
