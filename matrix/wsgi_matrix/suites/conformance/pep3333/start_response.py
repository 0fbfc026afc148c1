"""``start_response`` and ``write``: W36 to W55, W80 and W81."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher, either, response
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse
from wsgi_matrix.suites.conformance.pep3333.report_matchers import (
    GET,
    ask,
    body_is,
    later,
    noted_later,
    pep,
    refusal,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import request, responses, send

CALLABLE = pep("The start_response() Callable")
CHECKED = (
    "Servers should check for errors in the headers at the time start_response is called, so that "
    "an error can be raised while the application is still running."
)
HOP_BY_HOP = (
    "a server or gateway should consider it a fatal error for an application to attempt sending "
    "them, and raise an error if they are supplied to start_response()."
)
TOO_LATE = (
    "However, if exc_info is provided, and the HTTP headers have already been sent, start_response "
    "must raise an error, and should re-raise using the exc_info tuple."
)
HEADERS_GO = 0.1
"""Seconds that have to lie at least between two blocks whose app waits 1.5 s between them."""


def wrong(name: str, what: str) -> Variant:
    """A call that has to be refused."""
    return ask(
        f"a GET; the app calls start_response() with {what}",
        f"/wrong/{name}",
        refusal(),
        name=name,
    )


def _with(*fields: tuple[bytes, bytes], content: bytes) -> Matcher:
    def check(found: ParsedResponse) -> Actual:
        missing = [name.decode() for name, value in fields if (name, value) not in _lower(found)]
        if missing:
            return f"a response without {', '.join(missing)}"
        return None if found.body == content else f"content {found.body[:60]!r}"

    return response(200, check=check, says=f"with its fields and the content {content!r}")


def _lower(found: ParsedResponse) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in found.fields]


def never_sent(name: str, value: str) -> Matcher:
    """Refused, or the field is not on the wire."""

    def check(found: ParsedResponse) -> Actual:
        return f"the field {name}: {value}" if value.encode() in found.values(name) else None

    return either(refusal(), response(200, check=check, says=f"without {name}: {value}"))


def _once_framed(*contents: bytes) -> Matcher:
    def check(found: ParsedResponse) -> Actual:
        if len(found.values("Transfer-Encoding")) > 1:
            return "two transfer codings"
        return None if found.body in contents else f"content {found.body[:60]!r}"

    return either(
        refusal(), response(200, check=check, says="with one framing, and the app's content")
    )


def _in_turn(first: bytes, second: bytes) -> Matcher:
    def differs(transcript: Transcript) -> Actual:
        # Whether the end can be told is W64's.
        at: dict[bytes, float] = {}
        came = b""
        for event in transcript.events:
            came += event.data if event.what == "received" else b""
            for block in (first, second):
                if block.strip() in came.partition(b"\r\n\r\n")[2]:
                    at.setdefault(block, event.at)
        if len(at) < 2:
            return f"no response with {first + second!r}"
        gap = at[second] - at[first]
        return None if gap >= HEADERS_GO else f"both within {gap * 1000:.0f} ms"

    return Matcher(f"{first!r} while the app waits, and {second!r} later", differs)


def slow(
    sends: str, target: str, first: bytes, second: bytes, *, name: str = "", version: str
) -> Variant:
    """Two blocks, between which the app waits."""
    return ask(sends, target, _in_turn(first, second), name=name, version=version)


def _made(found: ParsedResponse) -> Actual:
    if found.values("X-Rules") != [b"yes"]:
        return "a response without X-Rules"
    return None if found.body == b"made" else f"content {found.body[:60]!r}"


def _second_only(found: ParsedResponse) -> Actual:
    if found.values("X-First"):
        return "a field of the head that was replaced"
    if found.values("X-Second") != [b"yes"] or found.body != b"replaced":
        return "neither field nor content of the second call"
    return None


def _complete(found: ParsedResponse) -> Actual:
    framed = found.values("Content-Length") or found.values("Transfer-Encoding")
    closes = b"close" in b",".join(found.values("Connection")).lower()
    if len(found.values("Date")) != 1:
        return f"Date: {found.values('Date')}"
    return None if framed or closes else "neither framing nor Connection: close"


def _latin_1(found: ParsedResponse) -> Actual:
    wanted = bytes(range(0xA0, 0x100))
    got = found.values("X-Rules")
    return None if got == [wanted] else f"X-Rules: {got}"


def _in_order(found: ParsedResponse) -> Actual:
    got = [name for name, _ in found.fields if name.lower().startswith(b"x-rules")]
    return None if got == [b"X-rules-B", b"X-RULES-A", b"x-Rules-C"] else f"the fields {got}"


def _cookies(found: ParsedResponse) -> Actual:
    got = found.values("Set-Cookie")
    return None if got == [b"a=1", b"b=2"] else f"Set-Cookie: {got}"


def _reason(found: ParsedResponse) -> Actual:
    return None if found.status_line.endswith(b" 299 Fine By Me") else repr(found.status_line)


def _raised(report: Any) -> Actual:
    return "nothing was raised" if report["notes"] in ([], ["nothing"]) else None


def _raised_own(report: Any) -> Actual:
    return None if report["notes"] == ["ZeroDivisionError"] else f"raised: {report['notes']}"


def _freed(report: Any) -> Actual:
    return None if report["notes"] == ["freed"] else f"noted: {report['notes']}"


def _head_is(status: bytes) -> Matcher:
    def differs(transcript: Transcript) -> Actual:
        line = transcript.received().partition(b"\r\n")[0]
        return None if line[9:12] == status else f"a response that begins {line!r}"

    return Matcher(f"a {status.decode()} response", differs)


LATE_CALL = noted_later("too-late", send(request("/start/too-late?too-late")), responses(GET))
SENDS_LATE_CALL = (
    "a GET; the app calls start_response() with exc_info after a block was sent; then requests for "
    "what it has noted"
)

RULES = (
    Rule(
        id="start-response/arguments",
        alias="W36",
        level=Level.MUST,
        cite=CALLABLE,
        title="Arguments of start_response()",
        text="The second parameter passed to the application object is a callable of the form "
        "start_response(status, response_headers, exc_info=None). … The start_response callable is "
        "used to begin the HTTP response, and it must return a write(body_data) callable",
        variants=(
            ask(
                "a GET; the app calls start_response() with two arguments, and reports whether "
                "the result can be called",
                "/start/positional",
                body_is(b"callable"),
            ),
            ask(
                "a GET; the app calls start_response() with None as its third argument, and "
                "reports whether the result can be called",
                "/start/positional-three",
                body_is(b"callable"),
                name="exc-info",
            ),
        ),
    ),
    Rule(
        id="write/sent-at-once",
        alias="W37",
        level=Level.MUST,
        cite=pep("The write() Callable"),
        title="write() sends at once",
        text="before write() returns, it must guarantee that the passed-in bytestring was either "
        "completely sent to the client, or that it is buffered for transmission while the "
        "application proceeds onward.",
        variants=(
            ask(
                "a GET; the app writes 'one ' and 'two ', and returns 'three'",
                "/start/write-order",
                body_is(b"one two three"),
                name="order",
            ),
            slow(
                "a GET; the app writes 'one ', waits 1.5 s and returns 'two'",
                "/start/write-sent",
                b"one ",
                b"two",
                name="sent",
                version="HTTP/1.1",
            ),
        ),
    ),
    Rule(
        id="start-response/not-strings",
        alias="W39",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="Status or headers not strings",
        text=CHECKED,
        variants=(
            wrong("status-bytes", "a status of type bytes"),
            wrong("status-number", "the number 200 as the status"),
            wrong("name-bytes", "a header name of type bytes"),
            wrong("value-bytes", "a header value of type bytes"),
        ),
    ),
    # That nothing of these is on the wire is for R73, R84 and R84-grammar.
    Rule(
        id="start-response/invalid-status",
        alias="W40",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="Invalid status",
        text="The string must not contain control characters, and must not be terminated with a "
        f"carriage return, linefeed, or combination thereof. … {CHECKED}",
        variants=(
            wrong("status-split", "a status with CRLF and a field line in it"),
            wrong("status-nul", "a status with NUL in it"),
            wrong("status-banana", "the status 'banana'"),
        ),
    ),
    Rule(
        id="start-response/invalid-name",
        alias="W41",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="Header name is not a token",
        text="Each header_name must be a valid HTTP header field-name (as defined by RFC 2616, "
        f"Section 4.2), without a trailing colon or other punctuation. … {CHECKED}",
        variants=(
            wrong("name-split", "a header name with CRLF and a field line in it"),
            wrong("name-space", "a header name with SP in it"),
            wrong("name-colon", "a header name that ends with a colon"),
            wrong("name-empty", "an empty header name"),
        ),
    ),
    Rule(
        id="start-response/invalid-value",
        alias="W42",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="Control characters in a value",
        text="Each header_value must not include any control characters, including carriage "
        f"returns or linefeeds, either embedded or at the end. … {CHECKED}",
        variants=(
            wrong("value-split", "a header value with CRLF and a field line in it"),
            wrong("value-lf", "a header value with LF and a field line in it"),
            wrong("value-cr", "a header value with CR in it"),
            wrong("value-nul", "a header value with NUL in it"),
        ),
    ),
    Rule(
        id="start-response/headers-not-a-list",
        alias="W43",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="Headers that are a tuple",
        text="It must be a Python list; i.e. type(response_headers) is ListType, and the server "
        f"may change its contents in any way it desires. … {CHECKED}",
        variants=(
            ask(
                "a GET; the app calls start_response() with a tuple of headers",
                "/wrong/tuple",
                either(refusal(), _with((b"x-rules", b"yes"), content=b"accepted")),
            ),
        ),
    ),
    Rule(
        id="start-response/not-latin-1",
        alias="W44",
        level=Level.MUST,
        cite=pep("Unicode Issues"),
        title="Characters beyond Latin-1",
        text="It is a fatal error for an application to supply strings containing any other "
        "Unicode character or code point.",
        variants=(
            wrong("status-beyond", "€ in the status"),
            wrong("name-beyond", "€ in a header name"),
            wrong("value-beyond", "€ in a header value"),
        ),
    ),
    Rule(
        id="start-response/latin-1",
        alias="W45",
        level=Level.MUST,
        cite=pep("Unicode Issues"),
        title="Latin-1 in a header value",
        text="strings passed to start_response() as a status or as response headers must follow "
        "RFC 2616 with respect to encoding. That is, they must either be ISO-8859-1 characters, or "
        "use RFC 2047 MIME encoding.",
        variants=(
            ask(
                "a GET; the app gives the field X-Rules with the characters U+00A0 to U+00FF",
                "/start/latin-1",
                response(200, check=_latin_1, says="with the octets 0xA0 to 0xFF in X-Rules"),
            ),
        ),
    ),
    Rule(
        id="start-response/hop-by-hop",
        alias="W46",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="Hop-by-hop fields of the app",
        text=HOP_BY_HOP,
        variants=(
            ask(
                "a GET; the app gives Connection: X-Rules",
                "/wrong/connection",
                never_sent("Connection", "X-Rules"),
                name="connection",
            ),
            ask(
                "a GET; the app gives Keep-Alive: timeout=4321",
                "/wrong/keep-alive",
                never_sent("Keep-Alive", "timeout=4321"),
                name="keep-alive",
            ),
            ask(
                "a GET; the app gives Upgrade: rules/1",
                "/wrong/upgrade",
                never_sent("Upgrade", "rules/1"),
                name="upgrade",
            ),
        ),
    ),
    Rule(
        id="start-response/transfer-encoding",
        alias="W47",
        level=Level.MUST,
        cite=pep("Other HTTP Features"),
        title="Transfer-Encoding of the app",
        text="a server may re-encode or transport-encode an application's response, but the "
        "application should use a suitable content encoding on its own, and must not apply a "
        "transport encoding.",
        variants=(
            ask(
                "a GET; the app gives Transfer-Encoding: chunked, and ten octets as they are",
                "/wrong/coding",
                _once_framed(b"0123456789"),
                name="plain",
            ),
            # An app may not do so: what it gives is then either framed already or content.
            ask(
                "a GET; the app gives Transfer-Encoding: chunked, and ten octets in a chunk",
                "/wrong/coding-framed",
                _once_framed(b"0123456789", b"a\r\n0123456789\r\n0\r\n\r\n"),
                name="framed",
            ),
        ),
    ),
    Rule(
        id="start-response/missing-fields-added",
        alias="W48",
        level=Level.MUST,
        cite=CALLABLE,
        title="Missing fields are added",
        text="if the application omits a header required by HTTP (or other relevant specifications "
        "that are in effect), the server or gateway must add it.",
        variants=(
            ask(
                "a GET; the app gives Content-Type alone",
                "/start/plain",
                response(200, check=_complete, says="with Date, and framing or a close"),
            ),
        ),
    ),
    Rule(
        id="start-response/sends-nothing",
        alias="W49",
        level=Level.MUST,
        cite=CALLABLE,
        title="start_response() sends nothing",
        text="However, the start_response callable must not actually transmit the response "
        "headers.",
        variants=(
            ask(
                "a GET; the app gives 200, and 404 with exc_info before its first block",
                "/start/held",
                _head_is(b"404"),
            ),
        ),
    ),
    Rule(
        id="start-response/called-by-first-iteration",
        alias="W50",
        level=Level.MUST,
        cite=pep("Specification Details"),
        title="Called by the first iteration",
        text="this invocation may be performed by the iterable's first iteration, so servers must "
        "not assume that start_response() has been called before they begin iterating over the "
        "iterable.",
        variants=(
            ask(
                "a GET; the app is a generator, which calls start_response() with 201 and X-Rules",
                "/start/generator",
                response(201, check=_made, says="with X-Rules and the generator's content"),
            ),
        ),
    ),
    Rule(
        id="start-response/empty-blocks",
        alias="W51",
        level=Level.MUST,
        cite=CALLABLE,
        title="Empty blocks",
        text="Instead, it must store them for the server or gateway to transmit only after the "
        "first iteration of the application return value that yields a non-empty bytestring, or "
        "upon the application's first invocation of the write() callable.",
        variants=(
            ask(
                "a GET; the app gives 200, two empty blocks, then 404 with exc_info and a block",
                "/start/empty-first",
                body_is(b"late", 404),
                name="head",
            ),
            ask(
                "a GET; the app gives an empty block between 'one ' and 'two'",
                "/start/empty-between",
                body_is(b"one two"),
                name="content",
            ),
        ),
    ),
    Rule(
        id="start-response/replaced",
        alias="W52",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="exc_info replaces the head",
        text="If exc_info is supplied, and no HTTP headers have been output yet, start_response "
        "should replace the currently-stored HTTP response headers with the newly-supplied ones",
        variants=(
            ask(
                "a GET; the app gives 200 and X-First, then with exc_info 404 and X-Second",
                "/start/replaced",
                response(404, check=_second_only, says="with X-Second and without X-First"),
            ),
        ),
    ),
    Rule(
        id="start-response/exc-info-too-late",
        alias="W53",
        level=Level.MUST,
        cite=CALLABLE,
        title="exc_info after the head",
        text=TOO_LATE,
        variants=(
            Variant(
                sends=SENDS_LATE_CALL,
                steps=LATE_CALL,
                expects=later("an exception was raised", _raised),
            ),
        ),
    ),
    Rule(
        id="start-response/exc-info-reraised",
        alias="W53-own",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="exc_info is raised again",
        text=TOO_LATE,
        judged_on="start-response/exc-info-too-late",
        variants=(
            Variant(
                sends=SENDS_LATE_CALL,
                steps=LATE_CALL,
                expects=later("the app's own exception was raised", _raised_own),
            ),
        ),
    ),
    Rule(
        id="start-response/called-twice",
        alias="W54",
        level=Level.MUST,
        cite=CALLABLE,
        title="Second call without exc_info",
        text="it is a fatal error to call start_response without the exc_info argument if "
        "start_response has already been called within the current invocation of the application.",
        variants=(
            ask(
                "a GET; the app calls start_response() twice, without exc_info",
                "/start/twice",
                refusal(),
            ),
        ),
    ),
    Rule(
        id="start-response/exc-info-not-kept",
        alias="W55",
        level=Level.SHOULD,
        cite=CALLABLE,
        title="No reference to exc_info",
        text="servers, gateways, or middleware implementing start_response should ensure that no "
        "reference is held to the exc_info parameter beyond the duration of the function's "
        "execution",
        variants=(
            Variant(
                sends="a GET; the app calls start_response() with exc_info, and notes whether a "
                "local of the frame that raised is freed",
                steps=noted_later(
                    "reference", send(request("/start/reference?reference")), responses(GET)
                ),
                expects=later("it was freed", _freed),
                alone=True,
            ),
        ),
    ),
    Rule(
        id="start-response/reason-phrase",
        alias="W80",
        level=Level.MAY,
        cite=CALLABLE,
        title="Reason phrase of the app",
        text="it is a string consisting of a Status-Code and a Reason-Phrase, in that order and "
        "separated by a single space",
        variants=(
            ask(
                "a GET; the app gives the status '299 Fine By Me'",
                "/start/reason",
                response(299, check=_reason, says="with the reason phrase Fine By Me"),
            ),
        ),
    ),
    Rule(
        id="start-response/order-and-spelling",
        alias="W81",
        level=Level.MAY,
        cite=pep("Other HTTP Features"),
        title="Order and spelling of fields",
        text='In general, servers and gateways should "play dumb" and allow the application '
        "complete control over its output.",
        variants=(
            ask(
                "a GET; the app gives X-rules-B, X-RULES-A and x-Rules-C",
                "/start/fields",
                response(200, check=_in_order, says="with these fields, as spelled and in order"),
            ),
            ask(
                "a GET; the app gives two fields Set-Cookie",
                "/start/cookies",
                response(200, check=_cookies, says="with both Set-Cookie lines, in order"),
                name="cookies",
            ),
        ),
    ),
)
