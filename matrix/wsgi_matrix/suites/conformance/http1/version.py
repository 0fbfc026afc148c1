"""The version of HTTP: R20 to R23."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.echo_matchers import (
    exchange,
    exchange_to_end,
    invalid,
    rejected,
)
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, either, refused, silence
from wsgi_matrix.suites.conformance.parsed_transcript import parse
from wsgi_matrix.suites.conformance.quotes import NOT_THE_GRAMMAR
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import request

HIGHER = exchange(request("/echo", version="HTTP/1.2"))
SENDS_HIGHER = "a GET of HTTP/1.2"


def _first_version(*versions: bytes) -> Matcher:
    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, ["GET"])
        if not parsed.responses:
            return parsed.nothing
        line = parsed.responses[0].status_line
        return None if line.startswith(versions) else f"a response that begins {line!r}"

    return Matcher("a response of " + " or ".join(v.decode().strip() for v in versions), differs)


RULES: tuple[Rule, ...] = (
    Rule(
        id="version/malformed",
        alias="R20",
        level=Level.SHOULD,
        cite="RFC 9112 sections 2.2, 2.3 and 3",
        title="Malformed version",
        text=NOT_THE_GRAMMAR,
        variants=tuple(
            Variant(
                name=name,
                sends=f'a GET with the version "{version}"',
                steps=exchange(request("/echo", version=version)),
                expects=rejected(400, 505),
            )
            for name, version in (
                ("case", "http/1.1"),
                ("digits", "HTTP/111"),
                ("protocol", "FTP/1.1"),
            )
        ),
    ),
    Rule(
        id="version/not-echoed",
        alias="R21",
        level=Level.MUST,
        cite="RFC 9110 section 6.2",
        title="Version is the server's own",
        text="A server MUST NOT send a version to which it is not conformant.",
        variants=(
            Variant(
                sends=SENDS_HIGHER,
                steps=HIGHER,
                expects=_first_version(b"HTTP/1.1 ", b"HTTP/1.0 "),
            ),
        ),
    ),
    Rule(
        id="version/highest",
        alias="R21-highest",
        level=Level.SHOULD,
        cite="RFC 9110 section 6.2",
        title="Version is the highest",
        text="A server SHOULD send a response version equal to the highest version to which the "
        "server is conformant that has a major version less than or equal to the one received in "
        "the request.",
        variants=(
            Variant(
                sends="a GET of HTTP/1.1",
                steps=exchange(request("/echo")),
                expects=_first_version(b"HTTP/1.1 "),
            ),
            Variant(
                name="minor",
                sends=SENDS_HIGHER,
                steps=HIGHER,
                expects=either(_first_version(b"HTTP/1.1 "), rejected()),
            ),
        ),
    ),
    Rule(
        id="version/other-major",
        alias="R22",
        level=Level.MAY,
        cite="RFC 9110 sections 6.2 and 15.6.6",
        title="Another major version",
        text="A server can send a 505 (HTTP Version Not Supported) response if it wishes, for any "
        "reason, to refuse service of the client's major protocol version.",
        variants=tuple(
            Variant(
                name=major,
                sends=f"a GET of HTTP/{major}.0",
                steps=exchange(request("/echo", version=f"HTTP/{major}.0")),
                expects=invalid(400, 505),
            )
            for major in ("2", "3")
        ),
    ),
    Rule(
        id="version/http09",
        alias="R23",
        level=Level.SHOULD,
        cite="RFC 9112 section 2.2",
        title="Request of HTTP/0.9",
        text=NOT_THE_GRAMMAR,
        variants=(
            Variant(
                sends="GET and a target, without a version, and an empty line",
                steps=exchange_to_end(b"GET /echo\r\n\r\n"),
                expects=either(refused(400, 505), silence()),
            ),
        ),
    ),
)
