"""The request line: R1 to R10."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step
from wsgi_matrix.suites.conformance.inspector import (
    Told,
    ask,
    ask_to_end,
    header,
    invalid,
    path,
    query,
    raw,
    rejected,
    told,
)
from wsgi_matrix.suites.conformance.rule import Rule, Try, either, refused
from wsgi_matrix.suites.conformance.steps import quiet, request, responses, send

GRAMMAR = "RFC 9112 sections 2.2 and 3"
"""What does not match the grammar of a message SHOULD be answered with 400."""
NOT_A_LINE = rejected(400, 301, 501)
"""Section 3: a 400, or a 301 to the target as it should be encoded; 501 for what is no method."""
AT_ONCE = 2.0
"""Seconds where nothing may be waited for: less than a server's time-out for a head (uWSGI: 4)."""
LONG = "a" * 66_000
CUT = request("/echo?q=1", "X-One: ab")
SUPPORTED = "a" * (8000 - len("GET /echo? HTTP/1.1"))


def _whole(found: Told) -> bool:
    line = (found["method"], found["path"], found["query"])
    return line == ("GET", "/echo", "q=1") and found["headers"]["HTTP_X_ONE"] == "ab"


def _at_once(data: bytes) -> tuple[Step, ...]:
    return (send(data), responses("GET", within=AT_ONCE))


RULES: tuple[Rule, ...] = (
    Rule(
        id="R1",
        level=Level.SHOULD,
        cite="RFC 9112 section 2.2",
        says="an empty line before the request line is ignored",
        tries=(Try(steps=ask(b"\r\n" + request("/echo")), accept=path("/echo")),),
    ),
    Rule(
        id="R2",
        level=Level.MAY,
        cite="RFC 9112 section 2.2",
        says="a bare LF ends a line or is invalid; it is not waited upon",
        tries=(
            Try(
                name="head",
                steps=_at_once(b"GET /echo HTTP/1.1\nHost: localhost\n\n"),
                accept=either(path("/echo"), invalid()),
            ),
            Try(
                name="line",
                steps=_at_once(b"GET /echo HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n"),
                accept=either(path("/echo"), invalid()),
            ),
        ),
    ),
    Rule(
        id="R3",
        level=Level.MUST,
        cite="RFC 9112 section 2.2",
        says="a bare CR is invalid, or replaced with SP",
        tries=(
            Try(
                name="line",
                steps=ask(raw(b"GET /echo HTTP/1.1\rX-A: b")),
                accept=invalid(),
            ),
            Try(
                name="value",
                steps=ask(raw(b"GET /echo HTTP/1.1", b"X-A: a\rb")),
                accept=either(invalid(), header("HTTP_X_A", "a b")),
            ),
            Try(
                name="name",
                steps=ask(raw(b"GET /echo HTTP/1.1", b"X-\rA: b")),
                accept=invalid(),
            ),
        ),
    ),
    Rule(
        id="R4",
        level=Level.MUST,
        cite="RFC 9112 section 2.2",
        says="white space before the first field is refused, or its line is not processed",
        tries=tuple(
            Try(
                name=name,
                steps=ask(b"GET /echo HTTP/1.1\r\n" + octet + b"X-A: b\r\nHost: localhost\r\n\r\n"),
                accept=either(invalid(), header("HTTP_X_A", None)),
            )
            for name, octet in (("space", b" "), ("tab", b"\t"))
        ),
    ),
    Rule(
        id="R5",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="octets above ASCII in a method or the name of a field are answered with 400",
        tries=(
            Try(name="method", steps=ask(raw(b"G\xc9T /echo HTTP/1.1")), accept=NOT_A_LINE),
            Try(
                name="name",
                steps=ask(raw(b"GET /echo HTTP/1.1", b"X-\xe9: b")),
                accept=rejected(400),
            ),
        ),
    ),
    Rule(
        id="R5-cut",
        level=Level.MUST,
        cite="RFC 9112 section 2.2, RFC 9293 section 2.2",
        says="a head is a sequence of octets: it says the same wherever TCP cuts it",
        tries=tuple(
            Try(
                name=name,
                steps=(send(CUT[:at]), quiet(), send(CUT[at:]), responses("GET")),
                accept=told(_whole, "with the whole head"),
            )
            for name, at in (
                ("method", 2),
                ("target", CUT.index(b"?")),
                ("target-end", CUT.index(b" HTTP")),
                ("version", CUT.index(b".1")),
                ("line-end", CUT.index(b"\n")),
                ("name", CUT.index(b"One")),
                ("value", CUT.index(b"b\r\n")),
                ("head-end", len(CUT) - 1),
            )
        ),
    ),
    Rule(
        id="R6",
        level=Level.SHOULD,
        cite="RFC 9112 section 3",
        says="other white space than one SP in the request line is 400, or read as one SP",
        tries=tuple(
            Try(name=name, steps=ask(raw(line)), accept=either(NOT_A_LINE, path("/echo")))
            for name, line in (
                ("spaces", b"GET  /echo HTTP/1.1"),
                ("tab", b"GET\t/echo HTTP/1.1"),
                ("late", b"GET /echo  HTTP/1.1"),
                ("behind", b"GET /echo HTTP/1.1 "),
            )
        ),
    ),
    Rule(
        id="R7",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="an invalid request line is answered with 400, and the connection closed",
        tries=tuple(
            Try(name=name, steps=ask_to_end(raw(line)), accept=refused(400))
            for name, line in (
                ("word", b"GET"),
                ("words", b"GET /echo to me HTTP/1.1"),
                ("version", b"GET /echo HTTP"),
                ("controls", b"\x01\x02\x03 /echo HTTP/1.1"),
            )
        ),
    ),
    Rule(
        id="R8",
        level=Level.MUST,
        cite="RFC 9112 section 3",
        says="a target that is too long is answered with 414",
        tries=(
            Try(steps=ask(request("/echo?" + LONG)), accept=either(rejected(414), query(LONG))),
        ),
    ),
    Rule(
        id="R8-8000",
        level=Level.SHOULD,
        cite="RFC 9112 section 3",
        says="a request line of 8000 octets is supported",
        tries=(Try(steps=ask(request("/echo?" + SUPPORTED)), accept=query(SUPPORTED)),),
    ),
    Rule(
        id="R9",
        level=Level.MUST,
        cite="RFC 9110 section 9.1",
        says="the method is case-sensitive",
        tries=(
            Try(
                steps=ask(request("/echo", method="get")),
                accept=either(
                    invalid(), told(lambda found: found["method"] == "get", "with the method 'get'")
                ),
            ),
        ),
    ),
    Rule(
        id="R9-token",
        level=Level.SHOULD,
        cite=GRAMMAR,
        says="a method that is no token is answered with 400",
        tries=(
            Try(name="bracket", steps=ask(raw(b"G(T /echo HTTP/1.1")), accept=NOT_A_LINE),
            Try(name="at", steps=ask(raw(b"G@T /echo HTTP/1.1")), accept=NOT_A_LINE),
        ),
    ),
    Rule(
        id="R10",
        level=Level.SHOULD,
        cite="RFC 9110 section 9.1",
        says="a method that is not known is for the app, or answered with 501",
        tries=(
            Try(
                steps=ask(request("/echo", method="FROB")),
                accept=either(
                    told(lambda found: found["method"] == "FROB", "with the method 'FROB'"),
                    rejected(501),
                ),
            ),
        ),
    ),
)
