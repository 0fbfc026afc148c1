"""The request line and its target: R1 to R12 and R16 to R23, R83; Host, R13 to R17."""

from __future__ import annotations

from wsgi_matrix.cases.asked import (
    ask,
    ask_to_end,
    header,
    invalid,
    path,
    raw,
    rejected,
    told,
)
from wsgi_matrix.cases.heard import hear
from wsgi_matrix.cases.rule import Accept, Rule, Try, either, refused, silence
from wsgi_matrix.cases.steps import request
from wsgi_matrix.model import Level, Transcript

GRAMMAR = "RFC 9112 sections 2.2 and 3"
"""What does not match the grammar of a message SHOULD be answered with 400."""
NOT_A_LINE = rejected(400, 301, 501)
"""Section 3: a 400, or a 301 to the target as it should be encoded; 501 for what is no method."""
LONG = "/echo/" + "a" * 66_000
SUPPORTED = "/echo/" + "a" * (8000 - len("GET /echo/ HTTP/1.1"))


def _first_version(*versions: bytes) -> Accept:
    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, ["GET"])
        if not hearing.answers:
            return f"no answer of a version that is known: {hearing.broken or hearing.end}"
        line = hearing.answers[0].status_line
        return "" if line.startswith(versions) else f"the answer begins {line!r}"

    return Accept("an answer of " + " or ".join(v.decode() for v in versions), fault)


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
                steps=ask(b"GET /echo HTTP/1.1\nHost: localhost\n\n"),
                accept=either(path("/echo"), invalid()),
            ),
            Try(
                name="line",
                steps=ask(b"GET /echo HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n"),
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
        tries=(Try(steps=ask(request(LONG)), accept=either(rejected(414), path(LONG))),),
    ),
    Rule(
        id="R8-8000",
        level=Level.SHOULD,
        cite="RFC 9112 section 3",
        says="a request line of 8000 octets is supported",
        tries=(Try(steps=ask(request(SUPPORTED)), accept=path(SUPPORTED)),),
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
                accept=either(header("HTTP_HOST", "other.example"), rejected(421)),
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
        cite=GRAMMAR + ", 3.2.4",
        says="* is a target of OPTIONS alone",
        tries=(Try(steps=ask(request("*")), accept=rejected(400)),),
    ),
    Rule(
        id="R20",
        level=Level.SHOULD,
        cite=GRAMMAR + ", 2.3",
        says="a version that is none is answered with 400",
        tries=tuple(
            Try(name=name, steps=ask(request("/echo", version=version)), accept=rejected(400, 505))
            for name, version in (
                ("case", "http/1.1"),
                ("digits", "HTTP/111"),
                ("protocol", "FTP/1.1"),
            )
        ),
    ),
    Rule(
        id="R21",
        level=Level.MUST,
        cite="RFC 9110 section 2.5",
        says="the version of an answer is the server's own, not an echo",
        tries=(
            Try(
                steps=ask(request("/echo", version="HTTP/1.2")),
                accept=_first_version(b"HTTP/1.1 ", b"HTTP/1.0 "),
            ),
        ),
    ),
    Rule(
        id="R21-highest",
        level=Level.SHOULD,
        cite="RFC 9110 section 2.5",
        says="the version of an answer is the highest: HTTP/1.1",
        tries=(Try(steps=ask(request("/echo")), accept=_first_version(b"HTTP/1.1 ")),),
    ),
    Rule(
        id="R22",
        level=Level.MAY,
        cite="RFC 9110 sections 2.5 and 15.6.6",
        says="another major version is refused",
        tries=(
            Try(
                name="2",
                steps=ask(request("/echo", version="HTTP/2.0")),
                accept=invalid(400, 505),
            ),
            Try(
                name="3",
                steps=ask(request("/echo", version="HTTP/3.0")),
                accept=invalid(400, 505),
            ),
        ),
    ),
    Rule(
        id="R23",
        level=Level.SHOULD,
        cite="RFC 9112 section 2.2",
        says="a request of HTTP/0.9 is refused, and the connection closed",
        tries=(
            Try(
                steps=ask_to_end(b"GET /echo\r\n\r\n"),
                accept=either(refused(400, 505), silence()),
            ),
        ),
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
