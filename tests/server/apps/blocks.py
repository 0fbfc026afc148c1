"""Blocks that are not bytes."""

PLAIN = [("Content-Type", "text/plain")]


def text(environ, start_response):
    start_response("200 OK", list(PLAIN))
    return ["text"]


def text_second(environ, start_response):
    """In a list: nothing was sent yet when it turns up."""
    start_response("200 OK", list(PLAIN))
    return [b"bytes", "text"]


def text_later(environ, start_response):
    start_response("200 OK", list(PLAIN))
    yield b"bytes"
    yield "text"


def array(environ, start_response):
    start_response("200 OK", list(PLAIN))
    yield bytearray(b"array")


def nothing(environ, start_response):
    start_response("200 OK", list(PLAIN))


def string(environ, start_response):
    start_response("200 OK", list(PLAIN))
    return "a string is an iterable of strings"
