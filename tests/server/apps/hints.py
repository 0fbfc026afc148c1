"""Early hints, well made, badly made and too late."""

FIELDS = [("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")]


def app(environ, start_response):
    environ["wsgi.early_hints"](FIELDS)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"final"]


def bad(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "a\r\nX-Injected: 1")])
    raise AssertionError("not reached")


def late(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"some "
    environ["wsgi.early_hints"](FIELDS)
    yield b"content"
