"""Blocks until the test has opened and closed the pipe that the query names."""

from pathlib import Path


def until(environ):
    Path(environ["QUERY_STRING"]).read_bytes()


def app(environ, start_response):
    """The second block is not there before the first was seen."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"first"
    until(environ)
    yield b"second"


def writes(environ, start_response):
    """The same by write()."""
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"first")
    until(environ)
    write(b"second")
    return [b"third"]


def hints(environ, start_response):
    """A 103, and the answer later."""
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
    until(environ)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"final"]


def silent(environ, start_response):
    """start_response was called, nothing was given yet."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b""
    until(environ)
    yield b"late"
