"""Expectations, upgrades, TRACE, and what no client of ours may say: R74 to R79 and R85."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.inspector import ask, ask_to_end, post, rejected, told
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, either, refused
from wsgi_matrix.suites.conformance.steps import head, quiet, request, responses, send

BODY = b"hello"
AT_ONCE = 2.0
"""Seconds for a 100: less than it takes a server to give up content that does not come."""


def _expecting(value: str, version: str = "HTTP/1.1") -> bytes:
    return post(f"Expect: {value}", f"Content-Length: {len(BODY)}", version=version)


def _continued(transcript: Transcript) -> str:
    whats = [line.what for line in transcript.events if line.what in ("sent", "received")]
    if whats[1:2] != ["received"]:
        return "nothing came before the content was sent"
    hearing = hear(transcript, ["POST"])
    return "" if hearing.answers else f"no answer: {hearing.broken or hearing.end}"


def _no_interim(transcript: Transcript) -> str:
    hearing = hear(transcript, ["POST"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    interim = hearing.answers[0].interim
    return f"interim {interim[0]}" if interim else ""


def _no_trace(transcript: Transcript) -> str:
    hearing = hear(transcript, ["TRACE"])
    if not hearing.answers:
        return f"no answer: {hearing.broken or hearing.end}"
    types = hearing.answers[0].values("content-type")
    return "" if b"message/http" not in types else "the server sent the request back"


def _upgrade(*fields: str, version: str = "HTTP/1.1") -> bytes:
    return request("/echo", *fields, version=version)


RULES: tuple[Rule, ...] = (
    Rule(
        id="R74",
        level=Level.MUST,
        cite="RFC 9110 section 10.1.1",
        says="100-continue is answered with 100 or finally, before the content comes",
        tries=tuple(
            Try(
                name=name,
                steps=(
                    send(_expecting(value)),
                    head(within=AT_ONCE),
                    send(BODY),
                    responses("POST"),
                ),
                accept=Accept("100 or a final answer before the content", _continued),
            )
            for name, value in (("lower", "100-continue"), ("mixed", "100-Continue"))
        ),
    ),
    Rule(
        id="R75",
        level=Level.MUST,
        cite="RFC 9110 sections 10.1.1 and 15.2",
        says="HTTP/1.0 is never answered with 100",
        tries=(
            Try(
                steps=(
                    send(_expecting("100-continue", "HTTP/1.0")),
                    quiet(),
                    send(BODY),
                    responses("POST"),
                ),
                accept=Accept("a final answer alone", _no_interim),
            ),
        ),
    ),
    Rule(
        id="R76",
        level=Level.MAY,
        cite="RFC 9110 section 10.1.1",
        says="an expectation that is not known is answered with 417, or ignored",
        tries=(
            Try(
                steps=ask(post("Expect: frob", "Content-Length: 5", body=BODY), "POST"),
                accept=either(
                    rejected(417, method="POST"),
                    told(lambda found: found["body"] == BODY.hex(), "with the content", "POST"),
                ),
            ),
        ),
    ),
    Rule(
        id="R78",
        level=Level.MUST,
        cite="RFC 9110 section 7.8",
        says="Upgrade to what is not known is ignored, and any Upgrade of HTTP/1.0",
        tries=tuple(
            Try(
                name=name,
                steps=ask(data),
                accept=told(lambda found: found["path"] == "/echo", "with the path '/echo'"),
            )
            for name, data in (
                ("unknown", _upgrade("Connection: upgrade", "Upgrade: frob/1")),
                ("old", _upgrade("Connection: upgrade", "Upgrade: h2c", version="HTTP/1.0")),
            )
        ),
    ),
    Rule(
        id="R79",
        level=Level.MAY,
        cite="RFC 9110 section 9.3.8",
        says="TRACE is refused or for the app; the server does not send fields back",
        tries=(
            Try(
                steps=ask(request("/echo", "X-A: secret", method="TRACE"), "TRACE"),
                accept=Accept("an answer that is no message/http", _no_trace),
            ),
        ),
    ),
    Rule(
        id="R85",
        level=Level.SHOULD,
        cite="RFC 9112 section 2.2",
        says="a header of the PROXY protocol, where nobody asked for it, is an invalid request",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(line + request("/echo", "Connection: close")),
                accept=refused(400),
            )
            for name, line in (
                ("v1", b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n"),
                (
                    "v2",
                    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x67\0\x50",
                ),
            )
        ),
    ),
)
