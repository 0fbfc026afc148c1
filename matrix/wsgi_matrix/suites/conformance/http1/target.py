"""The target of a request and Host: R11 to R19 and R83."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.inspector import (
    ask,
    ask_to_end,
    header,
    path,
    raw,
    rejected,
    told,
)
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, either
from wsgi_matrix.suites.conformance.steps import request

GRAMMAR = "RFC 9112 sections 2.2 and 3"
"""What does not match the grammar of a message SHOULD be answered with 400."""


def _connect(transcript: Transcript) -> str:
    hearing = hear(transcript, ["GET"])
    if not hearing.answers:
        return "" if hearing.closed and not transcript.received() else "no answer"
    found = hearing.answers[0]
    if found.status >= 400:
        return ""
    return "what is behind a CONNECT was read as a request" if hearing.rest else ""


def _asterisk(transcript: Transcript) -> str:
    hearing = hear(transcript, ["OPTIONS"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    found = hearing.answers[0]
    if found.status == 400 or found.status >= 500:
        return f"status {found.status}"
    try:
        target = found.json()["path"]
    except (ValueError, KeyError, TypeError):
        return ""
    return "" if target in ("", "*") else f"the app was called with the path {target!r}"


RULES: tuple[Rule, ...] = (
    Rule(
        id="R11",
        level=Level.SHOULD,
        cite="RFC 9112 sections 3 and 3.2",
        says="white space and controls in the target are answered with 400 or a redirect",
        tries=tuple(
            Try(name=name, steps=ask(raw(line)), accept=rejected(400, 301))
            for name, line in (
                ("space", b"GET /echo/a b HTTP/1.1"),
                ("control", b"GET /echo/\x01 HTTP/1.1"),
                ("delete", b"GET /echo/\x7f HTTP/1.1"),
                ("nul", b"GET /echo/\x00 HTTP/1.1"),
            )
        ),
    ),
    Rule(
        id="R12",
        level=Level.SHOULD,
        cite="RFC 9112 section 3.2, RFC 9110 section 7.1",
        says="a fragment is no part of the target: 400, or the app does not see it",
        tries=(
            Try(
                steps=ask(request("/echo?a#b")),
                accept=either(
                    rejected(400, 301),
                    told(lambda found: found["query"] == "a", "with the query 'a'"),
                ),
            ),
        ),
    ),
    Rule(
        id="R13",
        level=Level.MUST,
        cite="RFC 9112 section 3.2",
        says="a request of HTTP/1.1 without Host is answered with 400",
        tries=(Try(steps=ask(request("/echo", host=None)), accept=rejected(400)),),
    ),
    Rule(
        id="R14",
        level=Level.MUST,
        cite="RFC 9112 section 3.2",
        says="a request with more than one Host line is answered with 400",
        tries=(
            Try(name="other", steps=ask(request("/echo", "Host: b")), accept=rejected(400)),
            Try(name="same", steps=ask(request("/echo", "Host: localhost")), accept=rejected(400)),
        ),
    ),
    Rule(
        id="R15",
        level=Level.MUST,
        cite="RFC 9112 section 3.2, RFC 9110 section 7.2",
        says="an invalid value of Host is answered with 400",
        tries=tuple(
            Try(name=name, steps=ask(request("/echo", host=host)), accept=rejected(400))
            for name, host in (
                ("space", "a b"),
                ("slash", "a/b"),
                ("user", "user@a"),
                ("bracket", "[::1"),
                ("port", "a:b"),
            )
        ),
    ),
    Rule(
        id="R16",
        level=Level.MUST,
        cite="RFC 9112 section 3.2.2",
        says="the absolute form of a target is accepted",
        tries=(Try(steps=ask(request("http://localhost/echo")), accept=path("/echo")),),
    ),
    Rule(
        id="R17",
        level=Level.MUST,
        cite="RFC 9112 section 3.2.2",
        says="the authority of an absolute target replaces Host",
        tries=(
            Try(
                steps=ask(request("http://other.example/echo")),
                # Whether the form is accepted at all R16 asks.
                accept=either(header("HTTP_HOST", "other.example"), rejected()),
            ),
        ),
    ),
    Rule(
        id="R18",
        level=Level.MAY,
        cite="RFC 9112 section 3.2.3, RFC 9110 section 9.3.6",
        says="CONNECT is refused or for the app; what is behind one that succeeds is no request",
        tries=(
            Try(
                steps=ask_to_end(
                    request("example.com:443", method="CONNECT", host="example.com:443")
                    + request("/echo", "Connection: close")
                ),
                accept=Accept("an error, or nothing behind the answer", _connect),
            ),
        ),
    ),
    Rule(
        id="R19",
        level=Level.MUST,
        cite="RFC 9112 section 3.2.4, RFC 9110 section 9.3.7",
        says="OPTIONS * is for the server in general: answered, and as no path",
        tries=(
            Try(
                steps=ask(request("*", method="OPTIONS"), "OPTIONS"),
                accept=Accept(
                    "an answer but 400 and 5xx; of an app, with the path '' or '*'", _asterisk
                ),
            ),
        ),
    ),
    Rule(
        id="R19-get",
        level=Level.SHOULD,
        cite=GRAMMAR + ", 3.2.4, RFC 9110 section 7.1",
        says="* is a target of OPTIONS alone",
        tries=(Try(steps=ask(request("*")), accept=rejected(400)),),
    ),
    Rule(
        id="R83",
        level=Level.MAY,
        cite="RFC 9112 section 3.2.1",
        says="the path is decoded and otherwise left as it is; what cannot be decoded may be 400",
        tries=(
            Try(name="slashes", steps=ask(request("//evil/echo")), accept=path("//evil/echo")),
            Try(name="dots", steps=ask(request("/echo/../a")), accept=path("/echo/../a")),
            Try(
                name="nul",
                steps=ask(request("/echo/%00")),
                accept=either(path("/echo/\0"), rejected(400, 404)),
            ),
            Try(
                name="percent",
                steps=ask(request("/echo/%zz")),
                accept=either(path("/echo/%zz"), rejected(400)),
            ),
        ),
    ),
)
