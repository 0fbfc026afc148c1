"""The request line, its method, and lines of a head in general: R1 to R10."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step
from wsgi_matrix.suites.conformance.echo_matchers import (
    Report,
    called,
    exchange,
    exchange_to_end,
    invalid,
    path,
    query,
    raw,
    rejected,
    variable,
)
from wsgi_matrix.suites.conformance.matchers import either, refused
from wsgi_matrix.suites.conformance.quotes import (
    BARE_CR,
    BARE_LF,
    INVALID_REQUEST_LINE,
    NOT_THE_GRAMMAR,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import quiet, request, responses, send

GRAMMAR = "RFC 9112 sections 2.2 and 3"
NOT_A_LINE = rejected(400, 301, 501)
"""Section 3: a 400, or a 301 to the target as it should be encoded; 501 for what is no method."""
AT_ONCE = 2.0
"""Seconds where nothing may be waited for: less than a server's timeout for a head (uWSGI: 4)."""
LONG = "a" * 66_000
CUT = request("/echo?q=1", "X-One: ab")
SUPPORTED = "a" * (8000 - len("GET /echo? HTTP/1.1"))


def _whole(found: Report) -> bool:
    line = (found["method"], found["path"], found["query"])
    return line == ("GET", "/echo", "q=1") and found["headers"]["HTTP_X_ONE"] == "ab"


def _at_once(data: bytes) -> tuple[Step, ...]:
    return (send(data), responses("GET", within=AT_ONCE))


RULES: tuple[Rule, ...] = (
    Rule(
        id="request-line/empty-line-before",
        alias="R1",
        level=Level.SHOULD,
        cite="RFC 9112 section 2.2",
        title="Empty line before the request",
        text="In the interest of robustness, a server that is expecting to receive and parse a "
        "request-line SHOULD ignore at least one empty line (CRLF) received prior to the "
        "request-line.",
        variants=(
            Variant(
                sends="an empty line (CRLF), then a GET",
                steps=exchange(b"\r\n" + request("/echo")),
                expects=path("/echo"),
            ),
        ),
    ),
    Rule(
        id="head/bare-lf",
        alias="R2",
        level=Level.MAY,
        cite="RFC 9112 section 2.2",
        title="Bare LF ends a line",
        text=BARE_LF,
        variants=(
            Variant(
                name="head",
                sends="a GET all of whose lines end with LF instead of CRLF",
                steps=_at_once(b"GET /echo HTTP/1.1\nHost: localhost\n\n"),
                expects=either(path("/echo"), invalid()),
            ),
            Variant(
                name="line",
                sends="a GET whose Host line ends with LF, all others with CRLF",
                steps=_at_once(b"GET /echo HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n"),
                expects=either(path("/echo"), invalid()),
            ),
        ),
    ),
    Rule(
        id="head/bare-cr",
        alias="R3",
        level=Level.MUST,
        cite="RFC 9112 section 2.2",
        title="Bare CR in a head",
        text=BARE_CR,
        variants=(
            Variant(
                name="line",
                sends="a GET whose request line has a bare CR after the version, then X-A: b",
                steps=exchange(raw(b"GET /echo HTTP/1.1\rX-A: b")),
                expects=invalid(),
            ),
            Variant(
                name="value",
                sends="a GET with a bare CR in the value of X-A",
                steps=exchange(raw(b"GET /echo HTTP/1.1", b"X-A: a\rb")),
                expects=either(invalid(), variable("HTTP_X_A", "a b")),
            ),
            Variant(
                name="name",
                sends="a GET with a bare CR in a field name",
                steps=exchange(raw(b"GET /echo HTTP/1.1", b"X-\rA: b")),
                expects=invalid(),
            ),
        ),
    ),
    Rule(
        id="head/whitespace-before-first-field",
        alias="R4",
        level=Level.MUST,
        cite="RFC 9112 section 2.2",
        title="Whitespace before the first field",
        text="A recipient that receives whitespace between the start-line and the first header "
        "field MUST either reject the message as invalid or consume each whitespace-preceded line "
        "without further processing of it",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET whose first field line, X-A, begins with {octet_name}",
                steps=exchange(
                    b"GET /echo HTTP/1.1\r\n" + octet + b"X-A: b\r\nHost: localhost\r\n\r\n"
                ),
                expects=either(invalid(), variable("HTTP_X_A", None)),
            )
            for name, octet, octet_name in (("space", b" ", "SP"), ("tab", b"\t", "HTAB"))
        ),
    ),
    Rule(
        id="head/non-ascii-name",
        alias="R5",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Non-ASCII octets in names",
        text=NOT_THE_GRAMMAR,
        variants=(
            Variant(
                name="method",
                sends="a request whose method has the octet 0xC9 in it",
                steps=exchange(raw(b"G\xc9T /echo HTTP/1.1")),
                expects=NOT_A_LINE,
            ),
            Variant(
                name="name",
                sends="a GET with a field name that has the octet 0xE9 in it",
                steps=exchange(raw(b"GET /echo HTTP/1.1", b"X-\xe9: b")),
                expects=rejected(400),
            ),
        ),
    ),
    Rule(
        id="head/split-across-segments",
        alias="R5-cut",
        level=Level.MUST,
        cite="RFC 9112 section 2.2, RFC 9293 section 2.2",
        title="Head split across TCP segments",
        text="A recipient MUST parse an HTTP message as a sequence of octets in an encoding that "
        "is a superset of US-ASCII",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET in two parts, 0.25 s apart: cut {where}",
                steps=(send(CUT[:at]), quiet(), send(CUT[at:]), responses("GET")),
                expects=called(_whole, "with the whole head"),
            )
            for name, where, at in (
                ("method", "within the method", 2),
                ("target", "before the query", CUT.index(b"?")),
                ("target-end", "after the target", CUT.index(b" HTTP")),
                ("version", "within the version", CUT.index(b".1")),
                ("line-end", "between CR and LF of the request line", CUT.index(b"\n")),
                ("name", "within a field name", CUT.index(b"One")),
                ("value", "within a field value", CUT.index(b"b\r\n")),
                ("head-end", "before the last LF of the head", len(CUT) - 1),
            )
        ),
    ),
    Rule(
        id="request-line/whitespace",
        alias="R6",
        level=Level.SHOULD,
        cite="RFC 9112 sections 3 and 3.2",
        title="Other whitespace than single SPs",
        text=INVALID_REQUEST_LINE,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET with {what}",
                steps=exchange(raw(line)),
                expects=either(NOT_A_LINE, path("/echo")),
            )
            for name, what, line in (
                ("spaces", "two SP after the method", b"GET  /echo HTTP/1.1"),
                ("tab", "HTAB after the method", b"GET\t/echo HTTP/1.1"),
                ("late", "two SP before the version", b"GET /echo  HTTP/1.1"),
                ("behind", "SP after the version", b"GET /echo HTTP/1.1 "),
            )
        ),
    ),
    Rule(
        id="request-line/malformed",
        alias="R7",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Malformed request line",
        text=NOT_THE_GRAMMAR,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a request whose first line {what}",
                steps=exchange_to_end(raw(line)),
                expects=refused(400),
            )
            for name, what, line in (
                ("word", "is just GET", b"GET"),
                ("words", "has two words too many", b"GET /echo to me HTTP/1.1"),
                ("version", "ends with HTTP, without a number", b"GET /echo HTTP"),
                (
                    "controls",
                    "has the octets 1, 2 and 3 as its method",
                    b"\x01\x02\x03 /echo HTTP/1.1",
                ),
            )
        ),
    ),
    Rule(
        id="request-line/target-too-long",
        alias="R8",
        level=Level.MUST,
        cite="RFC 9112 section 3",
        title="Target that is too long",
        text="A server that receives a request-target longer than any URI it wishes to parse MUST "
        "respond with a 414 (URI Too Long) status code",
        variants=(
            Variant(
                sends="a GET with a query of 66,000 octets",
                steps=exchange(request("/echo?" + LONG)),
                expects=either(rejected(414), query(LONG)),
            ),
        ),
    ),
    Rule(
        id="request-line/8000-octets",
        alias="R8-8000",
        level=Level.SHOULD,
        cite="RFC 9112 section 3",
        title="Request line of 8000 octets",
        text="It is RECOMMENDED that all HTTP senders and recipients support, at a minimum, "
        "request-line lengths of 8000 octets.",
        variants=(
            Variant(
                sends="a GET whose request line has 8,000 octets",
                steps=exchange(request("/echo?" + SUPPORTED)),
                expects=query(SUPPORTED),
            ),
        ),
    ),
    Rule(
        id="method/case-sensitive",
        alias="R9",
        level=Level.MUST,
        cite="RFC 9110 section 9.1",
        title="Method in lower case",
        text="The method token is case-sensitive because it might be used as a gateway to "
        "object-based systems with case-sensitive method names.",
        variants=(
            Variant(
                sends='a request with the method "get"',
                steps=exchange(request("/echo", method="get")),
                expects=either(
                    invalid(),
                    called(lambda found: found["method"] == "get", "with the method 'get'"),
                ),
            ),
        ),
    ),
    Rule(
        id="method/not-a-token",
        alias="R9-token",
        level=Level.SHOULD,
        cite=GRAMMAR,
        title="Method that is not a token",
        text=NOT_THE_GRAMMAR,
        variants=(
            Variant(
                name="bracket",
                sends='a request with the method "G(T"',
                steps=exchange(raw(b"G(T /echo HTTP/1.1")),
                expects=NOT_A_LINE,
            ),
            Variant(
                name="at",
                sends='a request with the method "G@T"',
                steps=exchange(raw(b"G@T /echo HTTP/1.1")),
                expects=NOT_A_LINE,
            ),
        ),
    ),
    Rule(
        id="method/unknown",
        alias="R10",
        level=Level.SHOULD,
        cite="RFC 9110 section 9.1",
        title="Unknown method",
        text="An origin server that receives a request method that is unrecognized or not "
        "implemented SHOULD respond with the 501 (Not Implemented) status code.",
        variants=(
            Variant(
                sends="a request with the method FROB",
                steps=exchange(request("/echo", method="FROB")),
                expects=either(
                    called(lambda found: found["method"] == "FROB", "with the method 'FROB'"),
                    rejected(501),
                ),
            ),
        ),
    ),
)
