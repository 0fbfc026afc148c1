"""start_response called late, twice, with exc_info, or never."""

import sys
from pathlib import Path

PLAIN = [("Content-Type", "text/plain")]


def never(environ, start_response):
    return [b"no head"]


def never_generator(environ, start_response):
    yield b"no head"


def never_file(environ, start_response):
    return environ["wsgi.file_wrapper"](Path(__file__).open("rb"))


def twice(environ, start_response):
    start_response("200 OK", list(PLAIN))
    start_response("201 Created", list(PLAIN))
    return [b"never seen"]


def replaced(environ, start_response):
    start_response("200 OK", [*PLAIN, ("X-First", "1"), ("Content-Length", "999")])
    try:
        raise KeyError("lost")
    except KeyError:
        start_response("503 Sorry", [*PLAIN, ("X-Second", "2")], sys.exc_info())
    return [b"sorry"]


def after_head(environ, start_response):
    start_response("200 OK", list(PLAIN))
    yield b"sent"
    try:
        raise LookupError("the table is gone")
    except LookupError:
        start_response("500 Late", list(PLAIN), sys.exc_info())
    yield b"never seen"


def none_exc_info(environ, start_response):
    start_response("200 OK", list(PLAIN), None)
    return [b"fine"]
