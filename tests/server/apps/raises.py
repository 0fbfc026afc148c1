"""Exceptions before and after the head, of every kind."""

PLAIN = [("Content-Type", "text/plain")]


def app(environ, start_response):
    raise RuntimeError("secret of the traceback")


def after_start(environ, start_response):
    start_response("200 OK", list(PLAIN))
    raise RuntimeError("secret of the traceback")


def in_generator(environ, start_response):
    start_response("200 OK", list(PLAIN))
    yield b""
    raise RuntimeError("secret of the traceback")


def after_head(environ, start_response):
    start_response("200 OK", list(PLAIN))
    yield b"some"
    raise RuntimeError("secret of the traceback")


def after_head_with_length(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", "10")])
    yield b"some"
    raise RuntimeError("secret of the traceback")


def system_exit(environ, start_response):
    raise SystemExit(7)


def interrupt(environ, start_response):
    raise KeyboardInterrupt


def generator_exit(environ, start_response):
    raise GeneratorExit


def exit_after_head(environ, start_response):
    start_response("200 OK", list(PLAIN))
    yield b"some"
    raise SystemExit(7)


def in_close(environ, start_response):
    start_response("200 OK", list(PLAIN))

    class Blocks(list):
        def close(self):
            raise SystemExit(7)

    return Blocks([b"whole"])
