"""SHA-256 and length of the content, read in blocks."""

import hashlib


def app(environ, start_response):
    digest, count = hashlib.sha256(), 0
    while block := environ["wsgi.input"].read(65536):
        digest.update(block)
        count += len(block)
    content = f"{digest.hexdigest()} {count}".encode()
    start_response(
        "200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    )
    return [content]
