"""Without a length, in three blocks; start_response is called when the first is asked for."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"one "
    yield b"two "
    yield b"three"
