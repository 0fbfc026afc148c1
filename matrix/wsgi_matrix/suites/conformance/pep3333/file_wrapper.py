"""``wsgi.file_wrapper``, which a server need not have: W72 to W77."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.pep3333.environ import rule
from wsgi_matrix.suites.conformance.pep3333.inspector import (
    GET,
    ask,
    body_is,
    facts,
    later,
    pep,
    seen_later,
)
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, either
from wsgi_matrix.suites.conformance.steps import quiet, request, responses, send

SECTION = pep("Optional Platform-Specific File Handling")
ABSENT = body_is(b"no wsgi.file_wrapper")


def optional(accept: Accept) -> Accept:
    """So, or without the feature."""
    return either(accept, ABSENT)


def sends(name: str, content: bytes) -> Try:
    """The content that a wrapped file has to give, and nothing behind it.

    The connection is to be closed: how a client can tell the end else W64 asks.
    """
    return Try(
        name=name,
        steps=(send(request(f"/wrapper/{name}", "Connection: close")), responses(GET), quiet()),
        accept=optional(body_is(content)),
    )


def _lazy(told: Any) -> str:
    if told["read"]:
        return "the file was read before anything was returned"
    return "" if told["iterable"] else "what it returns cannot be iterated"


def _close_of_file(told: Any) -> str:
    # One that is always there is allowed: the server has to call it, and it may do nothing.
    return "" if told["close"][1] else "no close() for a file that has one"


def _was_closed(told: Any) -> str:
    times = told["notes"].count("closed")
    return "" if times == 1 else f"close() was called {times} times"


def _rule(number: int, level: Level, says: str, *tries: Try) -> Rule:
    return rule(number, level, says, *tries, cite=SECTION)


MUST, SHOULD = Level.MUST, Level.SHOULD
DIGITS = b"0123456789"
RULES = (
    _rule(72, MUST, "it takes a file and perhaps a size, and returns an iterable unread",
          ask("/wrapper/inspect", optional(facts("it is unread and can be iterated", _lazy)))),
    _rule(73, MUST, "it has close() if the file has, which calls that of the file",
          ask("/wrapper/inspect", optional(facts("close is there for a file that has it",
                                                 _close_of_file)), name="has"),
          Try(name="called",
              steps=seen_later("W73", send(request("/wrapper/close?W73")), responses(GET)),
              accept=either(later("close() was called once", _was_closed), ABSENT))),
    _rule(74, SHOULD, "sending begins at the file's position",
          sends("file", DIGITS), sends("file-from-4", b"456789"), sends("bytes-from-4", b"456789")),
    _rule(75, SHOULD, "no more than Content-Length is sent",
          sends("file-first-4", b"0123"), sends("bytes-first-4", b"0123"),
          sends("file-from-4-first-4", b"4567")),
    _rule(76, MUST, "what has read() only is sent",
          sends("bytes", DIGITS), sends("read", DIGITS)),
    _rule(77, MUST, "middleware can iterate it",
          sends("joined", DIGITS), sends("upper", DIGITS)),
)  # fmt: skip
