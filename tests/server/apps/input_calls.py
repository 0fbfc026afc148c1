"""Calls methods of wsgi.input as the query says: ?read=3&readline&readlines=5&iter → JSON."""

import json


def app(environ, start_response):
    stream = environ["wsgi.input"]
    results = []
    for step in environ["QUERY_STRING"].split("&"):
        name, _, argument = step.partition("=")
        arguments = [int(argument)] if argument else []
        result = list(stream) if name == "iter" else getattr(stream, name)(*arguments)
        if isinstance(result, list):
            results.append([line.decode("latin-1") for line in result])
        else:
            results.append(result.decode("latin-1"))
    content = json.dumps(results).encode()
    start_response(
        "200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    )
    return [content]
