"""Expectations, upgrades and TRACE: R74 to R76, R78 and R79."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.echo_matchers import called, exchange, post, rejected
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, either
from wsgi_matrix.suites.conformance.parsed_transcript import parse
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import head, quiet, request, responses, send

BODY = b"hello"
AT_ONCE = 2.0
"""Seconds for a 100: less than a server waits for content that does not come."""


def _expecting(value: str, version: str = "HTTP/1.1") -> bytes:
    return post(f"Expect: {value}", f"Content-Length: {len(BODY)}", version=version)


def _continued(transcript: Transcript) -> Actual:
    whats = [event.what for event in transcript.events if event.what in ("sent", "received")]
    if whats[1:2] != ["received"]:
        return "nothing before the content was sent"
    parsed = parse(transcript, ["POST"])
    return None if parsed.responses else parsed.nothing


def _no_interim(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["POST"])
    if not parsed.responses:
        return parsed.nothing
    interim = parsed.responses[0].interim
    return f"an interim response, {interim[0]}" if interim else None


def _no_trace(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["TRACE"])
    if not parsed.responses:
        return parsed.nothing
    types = parsed.responses[0].values("content-type")
    return "the request, sent back by the server" if b"message/http" in types else None


def _upgrade(*fields: str, version: str = "HTTP/1.1") -> bytes:
    return request("/echo", *fields, version=version)


RULES: tuple[Rule, ...] = (
    Rule(
        id="expect/100-continue",
        alias="R74",
        level=Level.MUST,
        cite="RFC 9110 section 10.1.1",
        title="Expectation of 100-continue",
        text="The origin server MUST NOT wait for the content before sending the 100 (Continue) "
        "response.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a POST with Expect: {value}; the content after a head has come, or 2 s",
                steps=(
                    send(_expecting(value)),
                    head(within=AT_ONCE),
                    send(BODY),
                    responses("POST"),
                ),
                expects=Matcher("100 or a final response before the content is sent", _continued),
            )
            for name, value in (("lower", "100-continue"), ("mixed", "100-Continue"))
        ),
    ),
    Rule(
        id="expect/http10",
        alias="R75",
        level=Level.MUST,
        cite="RFC 9110 sections 10.1.1 and 15.2",
        title="Expectation in HTTP/1.0",
        text="Since HTTP/1.0 did not define any 1xx status codes, a server MUST NOT send a 1xx "
        "response to an HTTP/1.0 client.",
        variants=(
            Variant(
                sends="a POST of HTTP/1.0 with Expect: 100-continue; its content after 0.25 s of "
                "silence",
                steps=(
                    send(_expecting("100-continue", "HTTP/1.0")),
                    quiet(),
                    send(BODY),
                    responses("POST"),
                ),
                expects=Matcher("a final response, and no interim one before it", _no_interim),
            ),
        ),
    ),
    Rule(
        id="expect/unknown",
        alias="R76",
        level=Level.MAY,
        cite="RFC 9110 section 10.1.1",
        title="Unknown expectation",
        text="A server that receives an Expect field value containing a member other than "
        "100-continue MAY respond with a 417 (Expectation Failed) status code to indicate that the "
        "unexpected expectation cannot be met.",
        variants=(
            Variant(
                sends="a POST with Expect: frob",
                steps=exchange(post("Expect: frob", "Content-Length: 5", body=BODY), "POST"),
                expects=either(
                    rejected(417, method="POST"),
                    called(
                        lambda found: found["body"] == BODY.hex(),
                        f"and reads {BODY!r}",
                        "POST",
                    ),
                ),
            ),
        ),
    ),
    Rule(
        id="upgrade/ignored",
        alias="R78",
        level=Level.MUST,
        cite="RFC 9110 section 7.8",
        title="Upgrade that is not supported",
        text="A server MAY ignore a received Upgrade header field if it wishes to continue using "
        "the current protocol on that connection. … A server that receives an Upgrade header field "
        "in an HTTP/1.0 request MUST ignore that Upgrade field.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET of {version} with {upgrade} and Connection: upgrade",
                steps=exchange(_upgrade("Connection: upgrade", upgrade, version=version)),
                expects=called(lambda found: found["path"] == "/echo", "with the path '/echo'"),
            )
            for name, upgrade, version in (
                ("unknown", "Upgrade: frob/1", "HTTP/1.1"),
                ("old", "Upgrade: h2c", "HTTP/1.0"),
            )
        ),
    ),
    Rule(
        id="method/trace",
        alias="R79",
        level=Level.MAY,
        cite="RFC 9110 section 9.3.8",
        title="TRACE",
        text="The final recipient of the request SHOULD exclude any request fields that are likely "
        "to contain sensitive data when that recipient generates the response content.",
        variants=(
            Variant(
                sends="TRACE with a field X-A: secret",
                steps=exchange(request("/echo", "X-A: secret", method="TRACE"), "TRACE"),
                expects=Matcher("a response whose content is not message/http", _no_trace),
            ),
        ),
    ),
)
