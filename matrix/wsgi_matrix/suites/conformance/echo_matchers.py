"""Requests to the inspecting app (``app/paths/echo.py``), and matchers of what it reports.

For the rules of HTTP/1.1 and the published attacks; those of PEP 3333 have their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.matchers import (
    AFTERWARDS,
    ERRORS,
    Actual,
    Matcher,
    described,
    either,
    one_of,
    refused,
    response,
    silence,
)
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse, parse
from wsgi_matrix.suites.conformance.steps import end, request, responses, send

Report = dict[str, Any]
"""What ``/echo`` reports: ``method, path, query, protocol, headers, body, complete, error``."""

CLOSE = "Connection: close"


def exchange(data: bytes, method: str = "GET") -> tuple[Step, ...]:
    """Send ``data`` and wait for a response."""
    return (send(data), responses(method))


def exchange_to_end(data: bytes, method: str = "GET") -> tuple[Step, ...]:
    """Send ``data``, wait for a response and for the end of the connection."""
    return (send(data), responses(method), end())


def raw(line: bytes = b"GET /echo HTTP/1.1", *fields: bytes, host: bytes = b"localhost") -> bytes:
    """A head with these octets unchanged, and with Host."""
    return b"\r\n".join([line, b"Host: " + host, *fields, b"", b""])


def post(
    *fields: str, body: bytes = b"", target: str = "/echo", version: str = "HTTP/1.1"
) -> bytes:
    """A request with content, whose framing is only in ``fields``."""
    return request(target, *fields, method="POST", version=version) + body


def chunked(body: bytes, *fields: str, target: str = "/echo") -> bytes:
    """A request with ``Transfer-Encoding: chunked`` and ``body`` unchanged."""
    return post("Transfer-Encoding: chunked", *fields, body=body, target=target)


HELLO_CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


def rejected(*status: int, method: str = "GET") -> Matcher:
    """An error, any 4xx or 5xx or one of ``status``; the connection may close or stay open.

    RFC 9110 section 15.5: a client treats an unknown 4xx as a 400.
    """
    matcher = response(*(status or ERRORS), method=method)

    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, [method])
        # A connection that stays open may have more responses, to other requests.
        if parsed.responses and parsed.responses[0].status in (status or ERRORS):
            return None
        return matcher.differs(transcript)

    return Matcher(matcher.description, differs)


def invalid(*status: int, method: str = "GET") -> Matcher:
    """Treated as invalid: an error, or the connection is closed without a response."""
    return either(rejected(*status, method=method), silence())


def called(
    check: Callable[[Report], bool], what: str, method: str = "GET", closed: bool | None = None
) -> Matcher:
    """The app is called, and its report passes ``check``; ``what`` describes such a call."""

    def differs(found: ParsedResponse) -> Actual:
        try:
            report = found.json()
            return None if check(report) else f"the app was called with {_short(report)}"
        except (ValueError, KeyError, TypeError):
            return "a response that is not the app's"

    matcher = response(200, method=method, closed=closed, check=differs, awaited=True)
    return described(f"the app is called {what}{AFTERWARDS[closed]}", matcher)


def _short(report: Report) -> str:
    """The part of a report that rules are about."""
    keys = ("method", "path", "query", "headers", "body", "complete", "error")
    return ", ".join(f"{key} {report[key]!r}"[:200] for key in keys)


def variable(name: str, *values: str | None, what: str = "") -> Matcher:
    """The app is called with one of ``values`` as the variable ``name``; ``None``: without it.

    ``what`` describes the values, if they are not a good description themselves.
    """
    words = what or one_of("absent" if value is None else _brief(value) for value in values)
    with_it = f"without {name}" if values == (None,) else f"with {name} {words}"
    return called(lambda found: found["headers"].get(name) in values, with_it)


def path(*paths: str, method: str = "GET") -> Matcher:
    """The app is called with one of ``paths``."""
    words = one_of(map(repr, paths))
    return called(
        lambda found: found["path"] in paths and found["method"] == method,
        f"with the path {words}",
        method,
    )


def query(value: str) -> Matcher:
    """The app is called with this query."""
    return called(lambda found: found["query"] == value, f"with the query {_brief(value)}")


def _brief(value: str | bytes) -> str:
    return repr(value) if len(value) < 50 else f"of {len(value):,} octets"


def content(body: bytes, closed: bool | None = None) -> Matcher:
    """The app is called with exactly this content."""
    what = f"and reads {_octets(body)}, the whole content"
    return called(
        lambda found: found["body"] == body.hex() and found["complete"],
        what if body else "and finds no content",
        "POST",
        closed,
    )


def _octets(value: bytes) -> str:
    return repr(value) if len(value) < 50 else f"{len(value):,} octets"


LENGTH_REQUIRED = rejected(411, method="POST")
"""RFC 9112 section 6.3 lets a server reject content without Content-Length."""


def decoded(body: bytes) -> Matcher:
    """The app is called with ``body`` decoded from chunks; or chunks are not accepted."""
    return either(content(body), LENGTH_REQUIRED)


def incomplete(closed: bool | None = True) -> Matcher:
    """The app is called before all content has arrived, and finds that it is faulty."""
    return called(
        lambda found: not found["complete"], "and finds the content incomplete", "POST", closed
    )


def faulty_framing() -> Matcher:
    """Faulty framing is detected: an error, no response, or by the app; then a close."""
    return described(
        "the connection is closed: without a response, after a 4xx or 5xx response, or after the "
        "app has found the content incomplete",
        either(refused(method="POST"), incomplete(), silence()),
    )


def in_order(paths: Sequence[str], methods: Sequence[str], *, all_of_them: bool = False) -> Matcher:
    """Responses of the app to pipelined requests, each to its own request.

    Fewer are accepted if the server closes; with ``all_of_them``, only if it announced that.
    """

    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, methods)
        for wanted, found in zip(paths, parsed.responses, strict=False):
            try:
                path = found.json()["path"]
            except (ValueError, KeyError, TypeError):
                return f"status {found.status}, not from the app, where {wanted} was requested"
            if path != wanted:
                return f"a response to {path} where {wanted} is next"
        if parsed.rest:
            return f"{len(parsed.rest)} octets after {len(parsed.responses)} responses"
        if not parsed.responses:
            return parsed.nothing
        count = f"{len(parsed.responses)} of {len(paths)} responses"
        if len(parsed.responses) < len(paths):
            if not parsed.closed:
                return f"{count}, and an open connection"
            if all_of_them and not announces_close(parsed.responses[-1]):
                return f"{count}, then an unannounced close"
        return None

    words = f"responses of the app to {', '.join(paths)}, in this order; or fewer, "
    return Matcher(
        words + ("the last with Connection: close" if all_of_them else "then a close"), differs
    )


def announces_close(found: ParsedResponse) -> bool:
    """Whether the response announces a close: ``close``, or HTTP/1.0 without ``keep-alive``."""
    options = [
        option.strip().lower()
        for value in found.values("connection")
        for option in value.split(b",")
    ]
    old = found.status_line.startswith(b"HTTP/1.0") and b"keep-alive" not in options
    return old or b"close" in options
