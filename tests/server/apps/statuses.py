"""Answers that have no content, with content all the same."""


def no_content(environ, start_response):
    start_response("204 No Content", [("X-A", "b")])
    return [b"must not be sent"]


def no_content_with_length(environ, start_response):
    start_response("204 No Content", [("Content-Length", "16"), ("X-A", "b")])
    return [b"must not be sent"]


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "16")])
    return [b"must not be sent"]


def not_modified_generator(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"')])
    yield b"must not"
    yield b" be sent"


def not_modified_empty(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "0")])
    return [b""]


def reset(environ, start_response):
    start_response("205 Reset Content", [("Content-Length", "16")])
    return [b"must not be sent"]


def reset_generator(environ, start_response):
    start_response("205 Reset Content", [])
    yield b"must not"
    yield b" be sent"


def head(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "16")])
    return [b"must not be sent"]


def head_generator(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"must not"
    yield b" be sent"
