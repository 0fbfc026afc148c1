"""Iterables whose close() is noted, in all the ways in which an answer can end."""

from pathlib import Path

import record


class Blocks:
    def __init__(self, blocks):
        self._blocks = iter(blocks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._blocks)

    def close(self):
        record.note("close")


def failing():
    yield b"some"
    raise RuntimeError("in the middle")


def endless():
    record.note("begun")
    while True:
        yield b"x" * 65536


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Blocks([b"some ", b"content"])


def fails(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Blocks(failing())


def fails_at_once(environ, start_response):
    return Blocks([b"no head"])


def never_ends(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Blocks(endless())


def not_modified(environ, start_response):
    start_response("304 Not Modified", [])
    return Blocks([b""])


def too_long(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return Blocks([b"123", b"456", b"789"])


def file(environ, start_response):
    """A file that notes its closing, sent by sendfile."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    wrapper = environ["wsgi.file_wrapper"](Path(__file__).open("rb"))  # noqa: SIM115 - the server closes it
    close = wrapper.close

    def noted():
        record.note("close")
        close()

    wrapper.close = noted
    return wrapper
