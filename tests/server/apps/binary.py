"""Every octet there is, in blocks that end anywhere."""

CONTENT = bytes(range(256)) * 40


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for start in range(0, len(CONTENT), 777):
        yield CONTENT[start : start + 777]
