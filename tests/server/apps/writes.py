"""write() before, and blocks after."""


def app(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    write(b"twice ")
    return [b"returned"]


def only(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "7")])
    write(b"written")
    return []


def in_sized(environ, start_response):
    """From an iterable that says it has one block, which is not the one that is written."""
    write = start_response("200 OK", [("Content-Type", "text/plain")])

    class One:
        def __len__(self):
            return 1

        def __iter__(self):
            write(b"written ")
            yield b"yielded"

    return One()


def too_much(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    write(b"12345678")
    write(b"9")
    return [b"10"]


def text(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])("text")
    return []
