"""``wsgi.file_wrapper``, which a server need not have: W72 to W77."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, either
from wsgi_matrix.suites.conformance.pep3333.report_matchers import (
    GET,
    NO_WRAPPER,
    ask,
    body_is,
    later,
    noted_later,
    pep,
    reports,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import quiet, request, responses, send

SECTION = pep("Optional Platform-Specific File Handling")
POSITION = (
    'transmission should begin at the current position within the "file" at the time that '
    "transmission begins, and continue until the end is reached, or until Content-Length bytes "
    "have been written."
)
UNREAD = (
    "The callable must return an iterable object, and must not perform any data transmission until "
    "and unless the server/gateway actually receives the iterable as a return value from the "
    "application."
)
DIGITS = b"0123456789"


def optional(matcher: Matcher) -> Matcher:
    """So, or without the feature."""
    return either(matcher, NO_WRAPPER)


def wrapped(name: str, what: str, content: bytes) -> Variant:
    """The content that a wrapped file has to give, and nothing after it.

    The connection is to be closed: how a client can tell the end else is W64's.
    """
    return Variant(
        name=name,
        sends=f"a GET; the app returns wsgi.file_wrapper of {what}",
        steps=(send(request(f"/wrapper/{name}", "Connection: close")), responses(GET), quiet()),
        expects=optional(body_is(content)),
    )


def _lazy(report: Any) -> Actual:
    if report["read"]:
        return "the file was read before anything was returned"
    return None if report["iterable"] else "the wrapper cannot be iterated over"


def _close_of_file(report: Any) -> Actual:
    # One that is always there is allowed: the server has to call it, and it may do nothing.
    return None if report["close"][1] else "no close() for a file that has one"


def _was_closed(report: Any) -> Actual:
    times = report["notes"].count("closed")
    return None if times == 1 else f"close() was called {times} times"


RULES: tuple[Rule, ...] = (
    Rule(
        id="file-wrapper/unread",
        alias="W72",
        level=Level.MUST,
        cite=SECTION,
        title="Wrapping reads nothing",
        text=UNREAD,
        variants=(
            ask(
                "a GET; the app wraps two files, one of them with a block size",
                "/wrapper/inspect",
                optional(reports("that they are unread, and the wrapper can be iterated", _lazy)),
            ),
        ),
    ),
    Rule(
        id="file-wrapper/close",
        alias="W73",
        level=Level.MUST,
        cite=SECTION,
        title="close() of a wrapped file",
        text="It may have a close() method, and if so, the iterable returned by wsgi.file_wrapper "
        "must have a close() method that invokes the original file-like object's close() method.",
        variants=(
            ask(
                "a GET; the app wraps a file with close()",
                "/wrapper/inspect",
                optional(reports("that the wrapper has close()", _close_of_file)),
                name="has",
            ),
            Variant(
                name="called",
                sends="a GET; the app returns wsgi.file_wrapper of a file with close(); then "
                "requests for what it has noted",
                steps=noted_later(
                    "wrapped", send(request("/wrapper/close?wrapped")), responses(GET)
                ),
                expects=either(later("close() was called once", _was_closed), NO_WRAPPER),
            ),
        ),
    ),
    Rule(
        id="file-wrapper/position",
        alias="W74",
        level=Level.SHOULD,
        cite=SECTION,
        title="Position of a wrapped file",
        text=POSITION,
        variants=(
            wrapped("file", "a file of ten digits", DIGITS),
            wrapped("file-from-4", "such a file at position 4", b"456789"),
            wrapped("bytes-from-4", "a BytesIO of ten digits at position 4", b"456789"),
        ),
    ),
    Rule(
        id="file-wrapper/content-length",
        alias="W75",
        level=Level.SHOULD,
        cite=SECTION,
        title="Content-Length of a wrapped file",
        text=POSITION,
        variants=(
            wrapped("file-first-4", "a file of ten digits, with Content-Length: 4", b"0123"),
            wrapped("bytes-first-4", "a BytesIO of ten digits, with Content-Length: 4", b"0123"),
            wrapped(
                "file-from-4-first-4", "such a file at position 4, with Content-Length: 4", b"4567"
            ),
        ),
    ),
    Rule(
        id="file-wrapper/read-only",
        alias="W76",
        level=Level.MUST,
        cite=SECTION,
        title="Object with read() only",
        text="Note that even if the object is not suitable for the platform API, the "
        "wsgi.file_wrapper must still return an iterable that wraps read() and close(), so that "
        "applications using file wrappers are portable across platforms.",
        variants=(
            wrapped("bytes", "a BytesIO of ten digits", DIGITS),
            wrapped("read", "an object with read() and nothing else", DIGITS),
        ),
    ),
    Rule(
        id="file-wrapper/middleware",
        alias="W77",
        level=Level.MUST,
        cite=SECTION,
        title="Middleware iterates the wrapper",
        text=f"{UNREAD} (To do otherwise would prevent middleware from being able to interpret or "
        "override the response data.)",
        variants=(
            Variant(
                name="joined",
                sends="a GET; the app joins what iteration over wsgi.file_wrapper gives",
                steps=(
                    send(request("/wrapper/joined", "Connection: close")),
                    responses(GET),
                    quiet(),
                ),
                expects=optional(body_is(DIGITS)),
            ),
            Variant(
                name="upper",
                sends="a GET; the app returns a generator over wsgi.file_wrapper",
                steps=(
                    send(request("/wrapper/upper", "Connection: close")),
                    responses(GET),
                    quiet(),
                ),
                expects=optional(body_is(DIGITS)),
            ),
        ),
    ),
)
