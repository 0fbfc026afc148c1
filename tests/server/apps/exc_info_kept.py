"""Whether an exception given as exc_info is held by anybody afterwards (W55)."""

import gc
import sys
import weakref

LAST = []


class LoudError(Exception):
    pass


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise LoudError
    except LoudError as error:
        LAST.append(weakref.ref(error))
        start_response("200 OK", [("Content-Type", "text/plain")], sys.exc_info())
    gc.disable()
    return [b"noted"]


def alive(environ, start_response):
    """How many are alive although no collection took place."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    count = sum(reference() is not None for reference in LAST)
    gc.enable()
    return [str(count).encode()]
