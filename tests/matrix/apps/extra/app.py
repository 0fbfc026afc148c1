"""One header field more."""


def app(environ, start_response):
    if environ["PATH_INFO"] == "/framework":
        body, kind = b'{"framework": "", "version": ""}', "application/json"
    else:
        body, kind = b"Hello, World!\n", "text/plain; charset=utf-8"
    length = ("Content-Length", str(len(body)))
    start_response("200 OK", [("Content-Type", kind), length, ("X-Extra", "1")])
    return [body]
