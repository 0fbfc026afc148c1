"""The environ as JSON: for each key the name of its type and its repr. It leaves a mark behind."""

import json


def app(environ, start_response):
    told = {key: [type(value).__name__, repr(value)] for key, value in environ.items()}
    told["(environ)"] = [type(environ).__name__, ""]
    content = json.dumps(told).encode()
    environ["LEAKED"] = environ["HTTP_LEAKED"] = "leaked"
    for key in ("SERVER_NAME", "wsgi.version", "wsgi.errors"):
        del environ[key]
    start_response(
        "200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    )
    return [content]
