"""Requests to the inspecting app, and what is accepted of what it tells (the suite ``rules``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.rule import ERRORS, Accept, answer, either, refused, silence
from wsgi_matrix.suites.conformance.steps import end, request, responses, send

Told = dict[str, Any]
"""What ``/echo`` tells: ``method, path, query, protocol, headers, body, complete, error``."""

CLOSE = "Connection: close"


def ask(data: bytes, method: str = "GET") -> tuple[Step, ...]:
    """Send it and wait for an answer."""
    return (send(data), responses(method))


def ask_to_end(data: bytes, method: str = "GET") -> tuple[Step, ...]:
    """Send it, wait for an answer and for the end of the connection."""
    return (send(data), responses(method), end())


def raw(line: bytes = b"GET /echo HTTP/1.1", *fields: bytes, host: bytes = b"localhost") -> bytes:
    """A head of octets as they are, with Host, which odd lines are put in."""
    return b"\r\n".join([line, b"Host: " + host, *fields, b"", b""])


def post(
    *fields: str, body: bytes = b"", target: str = "/echo", version: str = "HTTP/1.1"
) -> bytes:
    """A request with content whose framing is all in ``fields``."""
    return request(target, *fields, method="POST", version=version) + body


def chunked(body: bytes, *fields: str, target: str = "/echo") -> bytes:
    """A request with ``Transfer-Encoding: chunked`` whose content is ``body`` as it is."""
    return post("Transfer-Encoding: chunked", *fields, body=body, target=target)


HELLO_CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


def rejected(*status: int, method: str = "GET") -> Accept:
    """An error, any 4xx and 5xx or one of ``status``; what then becomes of the connection is open.

    RFC 9110 section 15.5: a client that does not know a 4xx takes it for a 400.
    """
    accept = answer(*(status or ERRORS), method=method)

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, [method])
        # A connection that goes on may have more answers: they are to other requests.
        if hearing.answers and hearing.answers[0].status in (status or ERRORS):
            return ""
        return accept.fault(transcript)

    return Accept(accept.says, fault)


def invalid(*status: int, method: str = "GET") -> Accept:
    """It is taken for invalid: an error, or a connection that is closed without a word."""
    return either(rejected(*status, method=method), silence())


def told(
    check: Callable[[Told], bool], says: str, method: str = "GET", closed: bool | None = None
) -> Accept:
    """The app was called, and tells what ``check`` holds to be right."""

    def fault(heard: Any) -> str:
        try:
            found = heard.json()
            return "" if check(found) else f"the app was called with {_short(found)}"
        except (ValueError, KeyError, TypeError):
            return "the answer is not the app's"

    words = f"of the app, {says}"
    return answer(200, method=method, closed=closed, check=fault, says=words, awaited=True)


def _short(found: Told) -> str:
    """The part of it that rules are about."""
    keys = ("method", "path", "query", "headers", "body", "complete", "error")
    return ", ".join(f"{key} {found[key]!r}"[:200] for key in keys)


def header(name: str, *values: str | None) -> Accept:
    """The app was called with one of ``values`` as the variable ``name``; ``None``: without."""
    words = " or ".join("none" if value is None else _brief(value) for value in values)
    return told(lambda found: found["headers"].get(name) in values, f"with {name} {words}")


def path(*paths: str, method: str = "GET") -> Accept:
    """The app was called with one of ``paths``."""
    words = " or ".join(map(repr, paths))
    return told(
        lambda found: found["path"] in paths and found["method"] == method,
        f"with the path {words}",
        method,
    )


def query(value: str) -> Accept:
    """The app was called with this query."""
    return told(lambda found: found["query"] == value, f"with the query {_brief(value)}")


def _brief(value: str | bytes) -> str:
    return repr(value) if len(value) < 50 else f"of {len(value)} octets"


def content(body: bytes, closed: bool | None = None) -> Accept:
    """The app was called with this content, all of it."""
    return told(
        lambda found: found["body"] == body.hex() and found["complete"],
        f"with the content {_brief(body)}",
        "POST",
        closed,
    )


LENGTH_REQUIRED = rejected(411, method="POST")
"""RFC 9112 section 6.3 lets a server refuse content without Content-Length."""


def decoded(body: bytes) -> Accept:
    """The app was called with ``body`` out of its chunks; or chunks are not taken at all."""
    return either(content(body), LENGTH_REQUIRED)


def not_complete(closed: bool | None = True) -> Accept:
    """The app was called while the content was still coming, and was told that it is faulty."""
    return told(lambda found: not found["complete"], "which is told of the fault", "POST", closed)


def unframed(*status: int) -> Accept:
    """Framing that is faulty: an error or nothing, or an app that knows; then the end."""
    return either(refused(*status, method="POST"), not_complete(), silence())


def in_order(paths: Sequence[str], methods: Sequence[str], *, all_of_them: bool = False) -> Accept:
    """Answers to requests one behind the other, from the app, each to its own request.

    Fewer are accepted where the server closes; ``all_of_them``: only where it had said so.
    """

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, methods)
        for wanted, heard in zip(paths, hearing.answers, strict=False):
            try:
                found = heard.json()["path"]
            except (ValueError, KeyError, TypeError):
                return f"status {heard.status}, not of the app, where {wanted} is to be answered"
            if found != wanted:
                return f"{found} is answered where {wanted} is next"
        if hearing.rest:
            return f"{len(hearing.rest)} octets behind {len(hearing.answers)} answers"
        if not hearing.answers:
            return f"no answer ({hearing.end})"
        last = hearing.answers[-1]
        if len(hearing.answers) < len(paths):
            if not hearing.closed:
                return f"{len(hearing.answers)} of {len(paths)} answers, and it stays open"
            if all_of_them and not says_close(last):
                return f"closed after {len(hearing.answers)} of {len(paths)}, unannounced"
        return ""

    words = f"answers for {', '.join(paths)}"
    return Accept(words + ", or fewer, the last with Connection: close" * all_of_them, fault)


def says_close(heard: Any) -> bool:
    """Whether the answer announces the end: ``close``, or HTTP/1.0 without ``keep-alive``."""
    options = [
        option.strip().lower()
        for value in heard.values("connection")
        for option in value.split(b",")
    ]
    old = heard.status_line.startswith(b"HTTP/1.0") and b"keep-alive" not in options
    return old or b"close" in options
