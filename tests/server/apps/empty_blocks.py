"""Empty blocks in front, between and behind; the head is changed while they go by."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Head", "first")])
    yield b""
    try:
        raise ValueError("not yet sent")
    except ValueError:
        import sys

        start_response("203 Later", [("Content-Type", "text/plain")], sys.exc_info())
    yield b""
    yield b"some"
    yield b""
    yield b" content"
    yield b""
