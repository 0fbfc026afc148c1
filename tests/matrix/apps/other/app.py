"""The same again, as another app."""


def app(environ, start_response):
    if environ["PATH_INFO"] == "/framework":
        body, kind = b'{"framework": "", "version": ""}', "application/json"
    else:
        body, kind = b"Hello, World!\n", "text/plain; charset=utf-8"
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
