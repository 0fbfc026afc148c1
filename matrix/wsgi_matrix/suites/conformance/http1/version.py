"""The version of HTTP: R20 to R23."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.inspector import ask, ask_to_end, invalid, rejected
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, either, refused, silence
from wsgi_matrix.suites.conformance.steps import request

HIGHER = ask(request("/echo", version="HTTP/1.2"))


def _first_version(*versions: bytes) -> Accept:
    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, ["GET"])
        if not hearing.answers:
            return f"no answer of a version that is known: {hearing.broken or hearing.end}"
        line = hearing.answers[0].status_line
        return "" if line.startswith(versions) else f"the answer begins {line!r}"

    return Accept("an answer of " + " or ".join(v.decode().strip() for v in versions), fault)


RULES: tuple[Rule, ...] = (
    Rule(
        id="R20",
        level=Level.SHOULD,
        cite="RFC 9112 sections 2.2, 2.3 and 3",
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
        cite="RFC 9110 section 6.2",
        says="the version of an answer is the server's own, not an echo",
        tries=(Try(steps=HIGHER, accept=_first_version(b"HTTP/1.1 ", b"HTTP/1.0 ")),),
    ),
    Rule(
        id="R21-highest",
        level=Level.SHOULD,
        cite="RFC 9110 section 6.2",
        says="the version of an answer is the highest: HTTP/1.1",
        tries=(
            Try(steps=ask(request("/echo")), accept=_first_version(b"HTTP/1.1 ")),
            Try(
                name="minor",
                steps=HIGHER,
                accept=either(_first_version(b"HTTP/1.1 "), rejected()),
            ),
        ),
    ),
    Rule(
        id="R22",
        level=Level.MAY,
        cite="RFC 9110 sections 6.2 and 15.6.6",
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
)
