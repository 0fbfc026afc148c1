"""Responses, as a server frames and completes them: R65 to R73 and R84."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.probe.agent.response_reader import field_values
from wsgi_matrix.suites.conformance.echo_matchers import CLOSE, exchange, exchange_to_end
from wsgi_matrix.suites.conformance.matchers import (
    Actual,
    Matcher,
    all_of,
    described,
    either,
    parsed_head,
    response,
    silence,
)
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import request, responses, send

DATE = re.compile(
    rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    rb"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT"
)
"""IMF-fixdate, RFC 9110 section 5.6.7."""
SPLIT = re.compile(rb"[\r\n]X-Split")
LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3} [\t\x20-\x7e\x80-\xff]*")
"""RFC 9112 section 4."""
FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 section 5."""
TEN = "of ten octets"
"""The content of most apps below ``/respond``."""


def _respond(name: str, *fields: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    return request(f"/respond/{name}", *fields, method=method, version=version)


def _closing(name: str, method: str = "GET") -> tuple[Step, ...]:
    return exchange_to_end(_respond(name, CLOSE, method=method), method)


def _without(*names: str) -> Callable[[ParsedResponse], Actual]:
    def differs(found: ParsedResponse) -> Actual:
        there = [name for name in names if found.values(name)]
        return f"a response with {', '.join(there)}" if there else None

    return differs


def _length(*values: bytes) -> Callable[[ParsedResponse], Actual]:
    def differs(found: ParsedResponse) -> Actual:
        wrong = [value for value in found.values("content-length") if value not in values]
        return f"Content-Length {wrong[0]!r}" if wrong else None

    return differs


def _one_framing(transcript: Transcript) -> Actual:
    # By the head alone: what it frames is nothing that readers agree on, where it has both.
    head = transcript.received().partition(b"\r\n\r\n")[0]
    both = field_values(head, b"content-length") and field_values(head, b"transfer-encoding")
    return "Content-Length and Transfer-Encoding" if both else None


def _dated(found: ParsedResponse) -> Actual:
    dates = found.values("date")
    if len(dates) == 1 and DATE.fullmatch(dates[0]):
        return None
    return f"Date: {dates!r}"


def _spaced(found: ParsedResponse) -> Actual:
    line = found.status_line
    return None if re.match(rb"HTTP/1\.[01] [0-9]{3} ", line) else f"the status line {line!r}"


def _no_split(transcript: Transcript) -> Actual:
    return "the field X-Split" if SPLIT.search(transcript.received()) else None


def _by_the_grammar(transcript: Transcript) -> Actual:
    line, *fields = transcript.received().partition(b"\r\n\r\n")[0].split(b"\r\n")
    if line and not LINE.fullmatch(line):
        return f"the status line {line!r}"
    wrong = [field for field in fields if not FIELD.fullmatch(field)]
    return f"the field line {wrong[0]!r}" if wrong else None


def _without_content(
    name: str, sends: str, steps: Sequence[Step], *status: int, method: str = "GET"
) -> Variant:
    return Variant(
        name=name,
        sends=sends,
        steps=tuple(steps),
        expects=response(*status, method=method, says="without content"),
    )


SERVED = described("a 200 response to a GET on another connection", response(200, on="b"))
LENGTH_OF_GET = "a response with Content-Length: 10, or without Content-Length"

RULES: tuple[Rule, ...] = (
    Rule(
        id="response/head-without-content",
        alias="R65",
        level=Level.MUST,
        cite="RFC 9110 section 9.3.2",
        title="Response to HEAD",
        text="The HEAD method is identical to GET except that the server MUST NOT send content in "
        "the response.",
        variants=(
            _without_content(
                "plain",
                f"HEAD; the app gives Content-Length and a block {TEN}",
                _closing("plain", "HEAD"),
                200,
                method="HEAD",
            ),
            _without_content(
                "stream",
                "HEAD; the app gives ten blocks and no Content-Length",
                _closing("stream", "HEAD"),
                200,
                method="HEAD",
            ),
            _without_content(
                "error",
                "HEAD with an invalid Host",
                exchange_to_end(request("/echo", CLOSE, method="HEAD", host="a b"), "HEAD"),
                method="HEAD",
            ),
        ),
    ),
    Rule(
        id="response/204-and-304-without-content",
        alias="R66",
        level=Level.MUST,
        cite="RFC 9110 sections 15.3.5 and 15.4.5",
        title="204 and 304 without content",
        text="A 204 response is terminated by the end of the header section; it cannot contain "
        "content or trailers. … A 304 response is terminated by the end of the header section; it "
        "cannot contain content or trailers.",
        variants=(
            _without_content(
                "204", f"a GET; the app gives 204 with content {TEN}", _closing("204-content")
            ),
            _without_content(
                "304", f"a GET; the app gives 304 with content {TEN}", _closing("304-content")
            ),
        ),
    ),
    Rule(
        id="response/204-without-framing",
        alias="R67",
        level=Level.MUST,
        cite="RFC 9112 section 6.1, RFC 9110 section 8.6",
        title="Framing of a 204",
        text="A server MUST NOT send a Transfer-Encoding header field in any response with a "
        "status code of 1xx (Informational) or 204 (No Content). … A server MUST NOT send a "
        "Content-Length header field in any response with a status code of 1xx (Informational) or "
        "204 (No Content).",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET; the app gives 204 {what}",
                steps=exchange(_respond(target)),
                expects=parsed_head(
                    _without("transfer-encoding", "content-length"),
                    "a response without Transfer-Encoding and Content-Length",
                ),
            )
            for name, what, target in (
                ("plain", "without fields", "204"),
                ("length", "with Content-Length: 10", "204-length"),
            )
        ),
    ),
    Rule(
        id="response/content-length-of-head-and-304",
        alias="R68",
        level=Level.MUST,
        cite="RFC 9110 section 8.6",
        title="Content-Length for HEAD and 304",
        text="a server MUST NOT send Content-Length in such a response unless its field value "
        "equals the decimal number of octets that would have been sent in the content of a "
        "response if the same request had used the GET method.",
        variants=(
            Variant(
                name="head",
                sends=f"HEAD; the app gives Content-Length and a block {TEN}",
                steps=_closing("plain", "HEAD"),
                expects=parsed_head(_length(b"10"), LENGTH_OF_GET, "HEAD"),
            ),
            Variant(
                name="head-stream",
                sends="HEAD; the app gives ten blocks of one octet, and no Content-Length",
                steps=_closing("stream", "HEAD"),
                expects=parsed_head(_length(b"10"), LENGTH_OF_GET, "HEAD"),
            ),
            Variant(
                name="304",
                sends="a GET; the app gives 304 with Content-Length: 10, without content",
                steps=_closing("304-length"),
                expects=parsed_head(_length(b"10"), LENGTH_OF_GET),
            ),
        ),
    ),
    Rule(
        id="response/no-transfer-encoding-in-http10",
        alias="R69",
        level=Level.MUST,
        cite="RFC 9112 section 6.1",
        title="No Transfer-Encoding for HTTP/1.0",
        text="A server MUST NOT send a response containing Transfer-Encoding unless the "
        "corresponding request indicates HTTP/1.1 (or later minor revisions).",
        variants=(
            Variant(
                sends="a GET of HTTP/1.0; the app gives ten blocks and no Content-Length",
                steps=exchange(_respond("stream", version="HTTP/1.0")),
                expects=parsed_head(
                    _without("transfer-encoding"), "a response without Transfer-Encoding"
                ),
            ),
        ),
    ),
    Rule(
        id="response/one-framing",
        alias="R70",
        level=Level.MUST,
        cite="RFC 9112 section 6.2",
        title="Content-Length or Transfer-Encoding",
        text="A sender MUST NOT send a Content-Length header field in any message that contains a "
        "Transfer-Encoding header field.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET; the app gives {what}",
                steps=_closing(name),
                expects=Matcher("no head that has both fields", _one_framing),
            )
            for name, what in (
                ("stream", "ten blocks and no Content-Length"),
                ("both", "Content-Length and Transfer-Encoding"),
            )
        ),
    ),
    Rule(
        id="response/date",
        alias="R71",
        level=Level.MUST,
        cite="RFC 9110 sections 6.6.1 and 5.6.7",
        title="Date of a response",
        text="An origin server with a clock (as defined in Section 5.6.7) MUST generate a Date "
        "header field in all 2xx (Successful), 3xx (Redirection), and 4xx (Client Error) responses",
        variants=tuple(
            Variant(
                name=name,
                sends=sends,
                steps=exchange(data),
                expects=parsed_head(_dated, "a response with one Date, an IMF-fixdate"),
            )
            for name, sends, data in (
                ("200", "a GET; the app gives 200", _respond("plain")),
                ("304", "a GET; the app gives 304", _respond("304-length")),
                ("404", "a GET; the app gives 404", _respond("404")),
                (
                    "refused",
                    "a request line with two words too many",
                    b"GET /echo to me HTTP/1.1\r\nHost: localhost\r\n\r\n",
                ),
            )
        ),
    ),
    Rule(
        id="response/space-after-status-code",
        alias="R72",
        level=Level.MUST,
        cite="RFC 9112 section 4",
        title="Space after the status code",
        text="A server MUST send the space that separates the status-code from the reason-phrase "
        "even when the reason-phrase is absent",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET; the app gives the status {status!r}",
                steps=exchange(_respond(target)),
                expects=parsed_head(_spaced, "a status line with SP after the status code"),
            )
            for name, status, target in (
                ("empty", "200 ", "reason"),
                ("none", "200", "reason-none"),
            )
        ),
    ),
    Rule(
        id="response/status-code-of-three-digits",
        alias="R73",
        level=Level.MUST,
        cite="RFC 9112 section 4",
        title="Invalid status code from the app",
        text="The status-code element is a 3-digit integer code describing the result of the "
        "server's attempt to understand and satisfy the client's corresponding request.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET; the app gives the status {status!r}; then a GET on another "
                "connection",
                steps=(
                    *exchange(_respond(name)),
                    send(request("/echo", CLOSE), on="b"),
                    responses("GET", on="b"),
                ),
                expects=all_of(
                    described(
                        "a response that can be parsed, or a close without one",
                        either(response(), silence()),
                    ),
                    SERVED,
                ),
                alone=True,  # there are servers that end themselves over it
            )
            for name, status in (("banana", "banana"), ("two-digits", "20 OK"))
        ),
    ),
    Rule(
        id="response/splitting",
        alias="R84",
        level=Level.MUST,
        cite="RFC 9110 section 5.5, RFC 9112 section 11.1",
        title="Response splitting by the app",
        text="Field values containing CR, LF, or NUL characters are invalid and dangerous, due to "
        "the varying ways that implementations might parse and interpret those characters",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET; the app gives {what}, then X-Split: yes",
                steps=_closing(f"split-{name}"),
                expects=Matcher("a response without the field X-Split, or none", _no_split),
            )
            for name, what in (
                ("value", "a field value with CRLF in it"),
                ("value-lf", "a field value with LF in it"),
                ("value-cr", "a field value with CR in it"),
                ("name", "a field name with CRLF in it"),
                ("reason", "a reason phrase with CRLF in it"),
            )
        ),
    ),
    Rule(
        id="response/grammar",
        alias="R84-grammar",
        level=Level.MUST,
        cite="RFC 9110 section 2.2",
        title="Invalid head from the app",
        text="A sender MUST NOT generate protocol elements that do not match the grammar defined "
        "by the corresponding ABNF rules.",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET; the app gives {what}",
                steps=exchange_to_end(request(f"/wrong/{name}", CLOSE)),
                expects=Matcher(
                    "a response whose head matches the grammar, or none", _by_the_grammar
                ),
            )
            for name, what in (
                ("status-nul", "a reason phrase with NUL in it"),
                ("name-space", "a field name with SP in it"),
                ("name-empty", "an empty field name"),
                ("value-nul", "a field value with NUL in it"),
            )
        ),
    ),
)
