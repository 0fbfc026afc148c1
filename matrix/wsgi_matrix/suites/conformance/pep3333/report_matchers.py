"""Requests to the apps in ``app/paths``, and matchers of their reports, for PEP 3333."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.matchers import (
    SERVER_ERRORS,
    Actual,
    Matcher,
    described,
    either,
    response,
)
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse, parse
from wsgi_matrix.suites.conformance.rule import Variant
from wsgi_matrix.suites.conformance.steps import close, end, request, responses, send

GET = "GET"
LATER = 2.5
"""Seconds for a response that may wait for a note for one."""


def pep(section: str) -> str:
    """A citation of a section of PEP 3333."""
    return f"PEP 3333, {section}"


def ask(
    sends: str,
    target: str,
    expects: Matcher,
    *fields: str,
    name: str = "",
    method: str = GET,
    version: str = "HTTP/1.1",
    host: str | None = "localhost",
    body: bytes | None = None,
    alone: bool = False,
) -> Variant:
    """One request and its response."""
    data = request(target, *fields, method=method, version=version, host=host, body=body)
    steps = (send(data), responses(method))
    return Variant(name=name, sends=sends, steps=steps, expects=expects, alone=alone)


def ask_to_end(
    sends: str, target: str, expects: Matcher, *, name: str = "", version: str = "HTTP/1.1"
) -> Variant:
    """One request, and everything until the server closes the connection."""
    steps = (send(request(target, version=version)), responses(GET), end())
    return Variant(name=name, sends=sends, steps=steps, expects=expects)


def body_is(content: bytes, *status: int, method: str = GET) -> Matcher:
    """A response with this content."""
    return response(
        *(status or (200,)),
        method=method,
        check=lambda found: None if found.body == content else f"content {found.body[:100]!r}",
        says=f"with the content {content!r}" if len(content) < 50 else "with exactly this content",
    )


NO_WRAPPER = described(
    "the app reports that wsgi.file_wrapper is missing", body_is(b"no wsgi.file_wrapper")
)


def reports(what: str, check: Callable[[Any], Actual], method: str = GET, on: str = "a") -> Matcher:
    """The app reports ``what``, as JSON; ``check`` finds what is wrong with the value."""
    matcher = response(200, method=method, on=on, check=lambda found: checked(found, check))
    return described(f"the app reports {what}", matcher)


def checked(found: ParsedResponse, check: Callable[[Any], Actual]) -> Actual:
    """What ``check`` finds wrong with the JSON of a response, or that it is not from the app."""
    try:
        return check(found.json())
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as problem:
        return f"the app reported {found.body[:100]!r} ({type(problem).__name__})"


def both(what: str, check: Callable[[Any, Any], Actual]) -> Matcher:
    """The app reports ``what`` on two connections, ``a`` and ``b``, as JSON."""

    def differs(transcript: Transcript) -> Actual:
        values = []
        for on in ("a", "b"):
            parsed = parse(transcript, [GET], on)
            if not parsed.responses or parsed.responses[0].status != 200:
                return f"no 200 response on connection {on} ({parsed.broken or parsed.end})"
            values.append(parsed.responses[0])
        return checked(values[0], lambda one: checked(values[1], lambda two: check(one, two)))

    return Matcher(f"the app reports {what}", differs)


def twice(target: str, *fields: str, first: str = "") -> tuple[Step, ...]:
    """The steps of one request on each of two connections."""
    return (
        send(request(first or target, *fields), on="a"),
        responses(GET, on="a"),
        send(request(target, *fields), on="b"),
        responses(GET, on="b"),
    )


def noted_later(query: str, *first: Step) -> tuple[Step, ...]:
    """``first`` on connection ``a``; then requests for what the app has noted, on ``b`` and ``c``.

    Servers that serve one connection at a time only respond on ``c``, when ``a`` is closed; servers
    with one thread may only notice the end of ``a`` after they have responded on ``b``.
    """
    question = request(f"/closed?{query}")
    return (
        *first,
        send(question, on="b"),
        responses(GET, on="b", within=LATER),
        close("a"),
        send(question, on="c"),
        responses(GET, on="c"),
    )


def later(what: str, check: Callable[[Any], Actual], *, last: bool = False) -> Matcher:
    """The notes of :func:`noted_later`, on ``b`` if there is a response; ``last``: on ``c``."""
    early, late = (reports(f"afterwards that {what}", check, on=on) for on in ("b", "c"))

    def differs(transcript: Transcript) -> Actual:
        if last or not parse(transcript, [GET], "b").responses:
            return late.differs(transcript)
        return early.differs(transcript)

    return Matcher(early.description, differs)


def is_error() -> Matcher:
    """A complete response with a 5xx status."""
    return response(*SERVER_ERRORS)


def cut() -> Matcher:
    """An incomplete response, so that the client can tell that more should have followed."""

    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, [GET])
        if parsed.responses:
            return "a response that looks complete"
        return None if parsed.closed else "an incomplete response, and an open connection"

    return Matcher("a visibly incomplete response, then the connection is closed", differs)


def refusal() -> Matcher:
    """The call raised and the app responded itself, or the server responded with a 5xx."""
    return either(
        described("start_response() raises, and the app's response to that", body_is(b"refused")),
        is_error(),
    )
