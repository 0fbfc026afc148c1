"""The target of a request and Host: R11 to R19 and R83."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.echo_matchers import (
    called,
    exchange,
    exchange_to_end,
    path,
    raw,
    rejected,
    variable,
)
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, either
from wsgi_matrix.suites.conformance.parsed_transcript import parse
from wsgi_matrix.suites.conformance.quotes import INVALID_REQUEST_LINE
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import request

INVALID_HOST = (
    "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message "
    "that lacks a Host header field and to any request message that contains more than one Host "
    "header field line or a Host header field with an invalid field value."
)


def _connect(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["GET"])
    if not parsed.responses:
        return None if parsed.closed and not transcript.received() else parsed.nothing
    if parsed.responses[0].status >= 400:
        return None
    return "a response to what follows the CONNECT, read as a request" if parsed.rest else None


def _asterisk(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["OPTIONS"])
    if not parsed.responses:
        return parsed.nothing
    found = parsed.responses[0]
    if found.status == 400 or found.status >= 500:
        return f"status {found.status}"
    try:
        target = found.json()["path"]
    except (ValueError, KeyError, TypeError):
        return None
    return None if target in ("", "*") else f"the app was called with the path {target!r}"


RULES: tuple[Rule, ...] = (
    Rule(
        id="target/whitespace-and-controls",
        alias="R11",
        level=Level.SHOULD,
        cite="RFC 9112 sections 3 and 3.2",
        title="Whitespace or controls in a target",
        text=INVALID_REQUEST_LINE,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET whose target has {what} in it",
                steps=exchange(raw(line)),
                expects=rejected(400, 301),
            )
            for name, what, line in (
                ("space", "SP", b"GET /echo/a b HTTP/1.1"),
                ("control", "the octet 0x01", b"GET /echo/\x01 HTTP/1.1"),
                ("delete", "DEL (0x7F)", b"GET /echo/\x7f HTTP/1.1"),
                ("nul", "NUL", b"GET /echo/\x00 HTTP/1.1"),
            )
        ),
    ),
    Rule(
        id="target/fragment",
        alias="R12",
        level=Level.SHOULD,
        cite="RFC 9112 section 3.2, RFC 9110 section 7.1",
        title="Fragment in a target",
        text="The target URI excludes the reference's fragment component, if any, since fragment "
        "identifiers are reserved for client-side processing",
        variants=(
            Variant(
                sends="a GET for /echo?a#b",
                steps=exchange(request("/echo?a#b")),
                expects=either(
                    rejected(400, 301),
                    called(lambda found: found["query"] == "a", "with the query 'a'"),
                ),
            ),
        ),
    ),
    Rule(
        id="host/missing",
        alias="R13",
        level=Level.MUST,
        cite="RFC 9112 section 3.2",
        title="Missing Host",
        text=INVALID_HOST,
        variants=(
            Variant(
                sends="a GET of HTTP/1.1 without Host",
                steps=exchange(request("/echo", host=None)),
                expects=rejected(400),
            ),
        ),
    ),
    Rule(
        id="host/repeated",
        alias="R14",
        level=Level.MUST,
        cite="RFC 9112 section 3.2",
        title="More than one Host line",
        text=INVALID_HOST,
        variants=(
            Variant(
                name="other",
                sends="a GET with two Host lines of different values",
                steps=exchange(request("/echo", "Host: b")),
                expects=rejected(400),
            ),
            Variant(
                name="same",
                sends="a GET with two equal Host lines",
                steps=exchange(request("/echo", "Host: localhost")),
                expects=rejected(400),
            ),
        ),
    ),
    Rule(
        id="host/invalid",
        alias="R15",
        level=Level.MUST,
        cite="RFC 9112 section 3.2, RFC 9110 section 7.2",
        title="Invalid value of Host",
        text=INVALID_HOST,
        variants=tuple(
            Variant(
                name=name,
                sends=f'a GET with Host "{host}"',
                steps=exchange(request("/echo", host=host)),
                expects=rejected(400),
            )
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
        id="target/absolute-form",
        alias="R16",
        level=Level.MUST,
        cite="RFC 9112 section 3.2.2",
        title="Target in absolute form",
        text="A server MUST accept the absolute-form in requests even though most HTTP/1.1 clients "
        "will only send the absolute-form to a proxy.",
        variants=(
            Variant(
                sends="a GET for http://localhost/echo",
                steps=exchange(request("http://localhost/echo")),
                expects=path("/echo"),
            ),
        ),
    ),
    Rule(
        id="target/absolute-form-replaces-host",
        alias="R17",
        level=Level.MUST,
        cite="RFC 9112 section 3.2.2",
        title="Absolute form replaces Host",
        text="When an origin server receives a request with an absolute-form of request-target, "
        "the origin server MUST ignore the received Host header field (if any) and instead use the "
        "host information of the request-target.",
        variants=(
            Variant(
                sends="a GET for http://other.example/echo with Host localhost",
                steps=exchange(request("http://other.example/echo")),
                # Whether the form is accepted at all is R16's.
                expects=either(variable("HTTP_HOST", "other.example"), rejected()),
            ),
        ),
    ),
    Rule(
        id="method/connect",
        alias="R18",
        level=Level.MAY,
        cite="RFC 9112 section 3.2.3, RFC 9110 section 9.3.6",
        title="CONNECT to an origin server",
        text="An origin server MAY accept a CONNECT request, but most origin servers do not "
        "implement CONNECT.",
        variants=(
            Variant(
                sends="CONNECT to example.com:443, and a GET right after it",
                steps=exchange_to_end(
                    request("example.com:443", method="CONNECT", host="example.com:443")
                    + request("/echo", "Connection: close")
                ),
                expects=Matcher(
                    "a 4xx or 5xx response; or one response, and nothing after it; or the "
                    "connection is closed without a response",
                    _connect,
                ),
            ),
        ),
    ),
    Rule(
        id="target/asterisk-of-options",
        alias="R19",
        level=Level.MUST,
        cite="RFC 9112 section 3.2.4, RFC 9110 section 9.3.7",
        title="OPTIONS for the whole server",
        text='An OPTIONS request with an asterisk ("*") as the request target (Section 7.1) '
        "applies to the server in general rather than to a specific resource.",
        variants=(
            Variant(
                sends="OPTIONS with the target *",
                steps=exchange(request("*", method="OPTIONS"), "OPTIONS"),
                expects=Matcher(
                    "a response other than 400 and 5xx; if it is the app's, it was called with "
                    "the path '' or '*'",
                    _asterisk,
                ),
            ),
        ),
    ),
    Rule(
        id="target/asterisk-of-another-method",
        alias="R19-get",
        level=Level.SHOULD,
        cite="RFC 9112 sections 2.2, 3 and 3.2.4, RFC 9110 section 7.1",
        title="Asterisk with another method",
        text='For OPTIONS (Section 9.3.7), the request target can be a single asterisk ("*"). … '
        "These forms MUST NOT be used with other methods.",
        variants=(
            Variant(
                sends="a GET with the target *", steps=exchange(request("*")), expects=rejected(400)
            ),
        ),
    ),
    Rule(
        id="target/path-unchanged",
        alias="R83",
        level=Level.MAY,
        cite="RFC 9112 section 3.2.1",
        title="Path is only decoded",
        text="When making a request directly to an origin server, other than a CONNECT or "
        "server-wide OPTIONS request (as detailed below), a client MUST send only the absolute "
        "path and query components of the target URI as the request-target.",
        variants=(
            Variant(
                name="slashes",
                sends="a GET for //evil/echo",
                steps=exchange(request("//evil/echo")),
                expects=path("//evil/echo"),
            ),
            Variant(
                name="dots",
                sends="a GET for /echo/../a",
                steps=exchange(request("/echo/../a")),
                expects=path("/echo/../a"),
            ),
            Variant(
                name="nul",
                sends="a GET for /echo/%00",
                steps=exchange(request("/echo/%00")),
                expects=either(path("/echo/\0"), rejected(400, 404)),
            ),
            Variant(
                name="percent",
                sends="a GET for /echo/%zz, an invalid percent-encoding",
                steps=exchange(request("/echo/%zz")),
                expects=either(path("/echo/%zz"), rejected(400)),
            ),
        ),
    ),
)
