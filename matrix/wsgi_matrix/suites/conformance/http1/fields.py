"""Fields of a request, R24 to R33, and what becomes of them as variables, R81 and R82."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.inspector import ask, header, invalid, raw, rejected
from wsgi_matrix.suites.conformance.rule import CLIENT_ERRORS, Rule, Try, either
from wsgi_matrix.suites.conformance.steps import request

LINE = b"GET /echo HTTP/1.1"
MANY = [f"X-{number}: a" for number in range(1000)]
LARGE = "X-A: " + "a" * 66_000

RULES: tuple[Rule, ...] = (
    Rule(
        id="R24",
        level=Level.MUST,
        cite="RFC 9112 section 5.1",
        says="white space between the name of a field and its colon is answered with 400",
        tries=(
            Try(name="space", steps=ask(raw(LINE, b"X-A : b")), accept=rejected(400)),
            Try(name="tab", steps=ask(raw(LINE, b"X-A\t: b")), accept=rejected(400)),
        ),
    ),
    Rule(
        id="R25",
        level=Level.MUST,
        cite="RFC 9110 section 5.5, RFC 9112 section 5.1",
        says="SP and HTAB around a value are no part of it; other octets are",
        tries=(
            Try(
                name="white", steps=ask(raw(LINE, b"X-A: \t b \t")), accept=header("HTTP_X_A", "b")
            ),
            Try(name="none", steps=ask(raw(LINE, b"X-A:b")), accept=header("HTTP_X_A", "b")),
            Try(
                name="other",
                steps=ask(raw(LINE, b"X-A: \xa0b\x85")),
                accept=either(header("HTTP_X_A", "\xa0b\x85"), invalid()),
            ),
        ),
    ),
    Rule(
        id="R26",
        level=Level.MUST,
        cite="RFC 9112 section 5.2",
        says="a folded line is answered with 400, or its fold replaced with SP",
        tries=tuple(
            Try(
                name=name,
                steps=ask(raw(LINE, b"X-A: a", octet + b"b")),
                accept=either(
                    rejected(400),
                    header("HTTP_X_A", *("a" + " " * count + "b" for count in (1, 2, 3, 4))),
                ),
            )
            for name, octet in (("space", b" "), ("tab", b"\t"))
        ),
    ),
    Rule(
        id="R27",
        level=Level.SHOULD,
        cite="RFC 9112 sections 2.2 and 5, RFC 9110 section 5.1",
        says="a name that is no token is answered with 400",
        tries=tuple(
            Try(name=name, steps=ask(raw(LINE, line)), accept=rejected(400))
            for name, line in (
                ("empty", b": a"),
                ("bracket", b"X(A: a"),
                ("space", b"X A: a"),
                ("no-colon", b"X-A"),
            )
        ),
    ),
    Rule(
        id="R28",
        level=Level.MUST,
        cite="RFC 9110 section 5.5",
        says="NUL and CR in a value are refused, or replaced with SP",
        tries=tuple(
            Try(
                name=name,
                steps=ask(raw(LINE, b"X-A: a" + octet + b"b")),
                accept=either(invalid(), header("HTTP_X_A", "a b")),
            )
            for name, octet in (("nul", b"\0"), ("cr", b"\r"))
        ),
    ),
    Rule(
        id="R29",
        level=Level.MAY,
        cite="RFC 9110 section 5.5",
        says="other controls in a value are refused, or kept",
        tries=(
            Try(
                steps=ask(raw(LINE, b"X-A: a\x01b")),
                accept=either(invalid(), header("HTTP_X_A", "a\x01b")),
            ),
        ),
    ),
    Rule(
        id="R30",
        level=Level.SHOULD,
        cite="RFC 9110 section 5.5",
        says="octets above ASCII in a value are opaque",
        tries=(
            Try(
                steps=ask(raw(LINE, b"X-A: a\xc3\xa9\xffb")),
                accept=header("HTTP_X_A", "a\xc3\xa9\xffb"),
            ),
        ),
    ),
    Rule(
        id="R31",
        level=Level.MAY,
        cite="RFC 9110 sections 5.2 and 5.3",
        says="lines of one name are combined, in order",
        tries=(
            Try(
                steps=ask(request("/echo", "X-A: a", "X-B: c", "X-A: b")),
                accept=header("HTTP_X_A", "a,b", "a, b"),
            ),
        ),
    ),
    Rule(
        id="R32",
        level=Level.MAY,
        cite="RFC 9110 section 8.3",
        says="of several Content-Types one is taken, or they are refused",
        tries=(
            Try(
                steps=ask(request("/echo", "Content-Type: a/a", "Content-Type: b/b")),
                accept=either(rejected(), header("CONTENT_TYPE", "a/a", "b/b")),
            ),
        ),
    ),
    Rule(
        id="R33",
        level=Level.MUST,
        cite="RFC 9110 section 5.4",
        says="fields that are too many or too large are answered with a 4xx",
        tries=(
            Try(
                name="many",
                steps=ask(request("/echo", *MANY)),
                accept=either(rejected(*CLIENT_ERRORS), header("HTTP_X_999", "a")),
            ),
            Try(
                name="large",
                steps=ask(request("/echo", LARGE)),
                accept=either(rejected(*CLIENT_ERRORS), header("HTTP_X_A", LARGE[5:])),
            ),
        ),
    ),
    Rule(
        id="R81",
        level=Level.MAY,
        cite="RFC 3875 section 4.1.18",
        says="a name with _ does not stand for the one with -",
        tries=(
            Try(
                name="before",
                steps=ask(request("/echo", "X_A: b", "X-A: a")),
                accept=either(rejected(), header("HTTP_X_A", "a")),
            ),
            Try(
                name="behind",
                steps=ask(request("/echo", "X-A: a", "X_A: b")),
                accept=either(rejected(), header("HTTP_X_A", "a")),
            ),
            Try(
                name="length",
                steps=ask(request("/echo", "Content_Length: 5")),
                accept=either(rejected(), header("CONTENT_LENGTH", None, "", "0")),
            ),
        ),
    ),
    Rule(
        id="R82",
        level=Level.MAY,
        cite="RFC 3875 section 4.1.18, CVE-2016-5385",
        says="Proxy is no variable, which libraries would take for the proxy of the process",
        tries=(
            Try(
                steps=ask(request("/echo", "Proxy: http://evil.example")),
                accept=either(rejected(), header("HTTP_PROXY", None)),
            ),
        ),
    ),
)
