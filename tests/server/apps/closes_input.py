"""Closes wsgi.input, which is not its to close."""


def app(environ, start_response):
    environ["wsgi.input"].close()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"closed"]
