"""Where the content of a request ends: Content-Length and Transfer-Encoding, R34 to R45 and R57."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.echo_matchers import (
    CLOSE,
    HELLO_CHUNKED,
    chunked,
    content,
    decoded,
    exchange,
    exchange_to_end,
    faulty_framing,
    in_order,
    incomplete,
    post,
)
from wsgi_matrix.suites.conformance.matchers import (
    ERRORS,
    Actual,
    Matcher,
    either,
    refused,
    response,
    silence,
)
from wsgi_matrix.suites.conformance.parsed_transcript import parse
from wsgi_matrix.suites.conformance.quotes import (
    CHUNKED_NOT_FINAL,
    CODING_IN_HTTP10,
    INVALID_CONTENT_LENGTH,
    LENGTH_AND_CODING,
    NO_CONTENT,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import end, half_close, request, responses, send

CHUNKED = "Transfer-Encoding: chunked"
HELLO = b"hello"
LENGTHS = (
    ("plus", "+5"),
    ("minus", "-5"),
    ("hex", "0x5"),
    ("underscore", "0_5"),
    ("empty", ""),
    ("letter", "a"),
    ("two", "5 5"),
    ("fraction", "5.0"),
)


def _transfer(*fields: str, version: str = "HTTP/1.1") -> bytes:
    return post(*fields, body=HELLO_CHUNKED, version=version)


def _coding(name: str, value: str, expects: Matcher, words: str = "") -> Variant:
    """A chunked content behind another Transfer-Encoding."""
    return Variant(
        name=name,
        sends=f"a POST with Transfer-Encoding {words or repr(value)} and a chunked content",
        steps=exchange_to_end(_transfer(f"Transfer-Encoding: {value}"), "POST"),
        expects=expects,
    )


def _cut(name: str, sends: str, data: bytes) -> Variant:
    """A request that ends too early, and what the app has noted of it then."""
    return Variant(
        name=name,
        sends=f"{sends}; then FIN, and another request for what the app has noted",
        steps=(
            send(data),
            half_close(),
            end(),
            send(request(f"/seen?cut-{name}", "Connection: close"), on="b"),
            responses("GET", on="b"),
        ),
        expects=Matcher("the app is not called, or finds the content incomplete", _noted),
    )


def _noted(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["GET"], "b")
    if not parsed.responses:
        return f"{parsed.nothing} to the other request"
    complete = [note for note in parsed.responses[0].json() if note["complete"]]
    return f"the app read {complete[0]['body']!r} as the whole content" if complete else None


RULES: tuple[Rule, ...] = (
    Rule(
        id="framing/length-and-transfer-encoding",
        alias="R34",
        level=Level.MUST,
        cite="RFC 9112 sections 6.1 and 6.3",
        title="Content-Length with Transfer-Encoding",
        text=LENGTH_AND_CODING,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a POST with {order}; five octets in a chunk",
                steps=exchange_to_end(_transfer(*fields), "POST"),
                expects=either(faulty_framing(), content(HELLO, closed=True)),
            )
            for name, order, fields in (
                (
                    "before",
                    "Content-Length: 3, then Transfer-Encoding: chunked",
                    ("Content-Length: 3", CHUNKED),
                ),
                (
                    "behind",
                    "Transfer-Encoding: chunked, then Content-Length: 3",
                    (CHUNKED, "Content-Length: 3"),
                ),
            )
        ),
    ),
    Rule(
        id="framing/transfer-encoding-in-http10",
        alias="R35",
        level=Level.MUST,
        cite="RFC 9112 section 6.1",
        title="Transfer-Encoding in HTTP/1.0",
        text=CODING_IN_HTTP10,
        variants=(
            Variant(
                sends="a POST of HTTP/1.0 with a chunked content and Connection: keep-alive",
                steps=exchange_to_end(
                    _transfer(CHUNKED, "Connection: keep-alive", version="HTTP/1.0"), "POST"
                ),
                expects=either(response(method="POST", closed=True), silence()),
            ),
        ),
    ),
    Rule(
        id="framing/unknown-transfer-coding",
        alias="R36",
        level=Level.SHOULD,
        cite="RFC 9112 section 6.1",
        title="Unknown transfer coding",
        text="A server that receives a request message with a transfer coding it does not "
        "understand SHOULD respond with 501 (Not Implemented).",
        variants=(
            Variant(
                sends="a POST with Transfer-Encoding 'frob, chunked' and a chunked content",
                steps=exchange(_transfer("Transfer-Encoding: frob, chunked"), "POST"),
                expects=response(501, method="POST"),
            ),
        ),
    ),
    Rule(
        id="framing/chunked-not-final",
        alias="R37",
        level=Level.MUST,
        cite="RFC 9112 section 6.3",
        title="Chunked is not the last coding",
        text=CHUNKED_NOT_FINAL,
        # 6.1 has 501 for a coding that is not understood.
        variants=(
            _coding("behind", "chunked, gzip", refused(400, 501, method="POST")),
            _coding("alone", "gzip", refused(400, 501, method="POST")),
        ),
    ),
    Rule(
        id="framing/chunked-twice",
        alias="R38",
        level=Level.SHOULD,
        cite="RFC 9112 sections 6.1 and 6.3",
        title="Chunked is applied twice",
        text="A sender MUST NOT apply the chunked transfer coding more than once to a message body "
        "(i.e., chunking an already chunked message is not allowed).",
        variants=(
            Variant(
                name="line",
                sends="a POST with two lines Transfer-Encoding: chunked, but chunked once",
                steps=exchange_to_end(_transfer(CHUNKED, CHUNKED), "POST"),
                expects=faulty_framing(),
            ),
            Variant(
                name="list",
                sends="a POST with Transfer-Encoding 'chunked, chunked', but chunked once",
                steps=exchange_to_end(_transfer("Transfer-Encoding: chunked, chunked"), "POST"),
                expects=faulty_framing(),
            ),
        ),
    ),
    Rule(
        id="framing/coding-in-upper-case",
        alias="R39",
        level=Level.MUST,
        cite="RFC 9112 section 7",
        title="Coding name in upper case",
        text="All transfer-coding names are case-insensitive",
        variants=(
            Variant(
                sends="a POST with Transfer-Encoding 'CHUNKED' and a chunked content",
                steps=exchange(_transfer("Transfer-Encoding: CHUNKED"), "POST"),
                expects=decoded(HELLO),
            ),
        ),
    ),
    Rule(
        id="framing/nearly-chunked",
        alias="R40",
        level=Level.MUST,
        cite="RFC 9112 section 6.3, RFC 9110 section 5.6.1",
        title="Coding that resembles chunked",
        text=CHUNKED_NOT_FINAL,
        variants=(
            _coding("prefix", "xchunked", refused(400, 501, method="POST")),
            _coding(
                "control",
                "\x0bchunked",
                refused(400, 501, method="POST"),
                "'chunked' after VT (0x0B)",
            ),
            _coding("quoted", '"chunked"', refused(400, 501, method="POST")),
            Variant(
                name="comma",  # an empty element of a list: to be ignored
                sends="a POST with Transfer-Encoding ', chunked' and a chunked content",
                steps=exchange(_transfer("Transfer-Encoding: , chunked"), "POST"),
                expects=either(content(HELLO), response(400, 411, 501, method="POST")),
            ),
        ),
    ),
    Rule(
        id="framing/content-length-not-a-number",
        alias="R41",
        level=Level.MUST,
        cite="RFC 9112 section 6.3, RFC 9110 section 8.6",
        title="Content-Length is not a number",
        text=INVALID_CONTENT_LENGTH,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a POST of five octets with Content-Length {value!r}",
                steps=exchange_to_end(post(f"Content-Length: {value}", body=HELLO), "POST"),
                expects=refused(400, method="POST"),
            )
            for name, value in LENGTHS
        ),
    ),
    Rule(
        id="framing/content-lengths-differ",
        alias="R42",
        level=Level.MUST,
        cite="RFC 9112 section 6.3",
        title="Content-Lengths that differ",
        text=INVALID_CONTENT_LENGTH,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a POST of six octets with {what}",
                steps=exchange_to_end(post(*fields, body=b"hello!"), "POST"),
                expects=refused(400, method="POST"),
            )
            for name, what, fields in (
                (
                    "lines",
                    "Content-Length: 5 and Content-Length: 6",
                    ("Content-Length: 5", "Content-Length: 6"),
                ),
                ("list", "Content-Length: 5, 6", ("Content-Length: 5, 6",)),
            )
        ),
    ),
    Rule(
        id="framing/content-lengths-equal",
        alias="R43",
        level=Level.MAY,
        cite="RFC 9110 section 8.6",
        title="Content-Length given twice",
        text="a recipient of a Content-Length header field value consisting of the same decimal "
        'value repeated as a comma-separated list (e.g, "Content-Length: 42, 42") MAY either '
        "reject the message as invalid or replace that invalid field value with a single instance "
        "of the decimal value",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a POST of five octets with {what}",
                steps=exchange(post(*fields, body=HELLO), "POST"),
                expects=either(content(HELLO), response(400, method="POST")),
            )
            for name, what, fields in (
                (
                    "lines",
                    "two lines Content-Length: 5",
                    ("Content-Length: 5", "Content-Length: 5"),
                ),
                ("list", "Content-Length: 5, 5", ("Content-Length: 5, 5",)),
            )
        ),
    ),
    Rule(
        id="framing/content-length-overflow",
        alias="R44",
        level=Level.MUST,
        cite="RFC 9110 section 8.6",
        title="Huge Content-Length",
        text="Since there is no predefined limit to the length of content, a recipient MUST "
        "anticipate potentially large decimal numerals and prevent parsing errors due to integer "
        "conversion overflows or precision loss due to integer conversion",
        variants=tuple(
            Variant(
                name=name,
                sends=f"a POST with Content-Length {words}: five octets, a request, FIN",
                # A server that counts modulo 2^32 or 2^64 finds a request after five octets. FIN
                # follows, so that no server waits for the others.
                steps=(
                    send(post(f"Content-Length: {value}", body=HELLO + request("/smuggled"))),
                    half_close(),
                    responses("POST"),
                    end(),
                ),
                expects=either(response(*ERRORS, method="POST"), incomplete(None), silence()),
            )
            for name, words, value in (
                ("digits", "10^23", 10**23),
                ("wraps-64", "2^64 + 5", 2**64 + 5),
                ("wraps-32", "2^32 + 5", 2**32 + 5),
            )
        ),
    ),
    Rule(
        id="framing/no-content",
        alias="R45",
        level=Level.MUST,
        cite="RFC 9112 section 6.3",
        title="Neither Content-Length nor Transfer-Encoding",
        text=NO_CONTENT,
        variants=(
            Variant(
                sends="a POST without Content-Length and Transfer-Encoding; after its response, a "
                "GET for /next",
                steps=(
                    send(post()),
                    responses("POST"),
                    send(request("/next", CLOSE)),
                    responses("GET"),
                ),
                expects=in_order(["/echo", "/next"], ["POST", "GET"]),
            ),
        ),
    ),
    Rule(
        id="framing/incomplete-content",
        alias="R57",
        level=Level.MAY,
        cite="RFC 9112 section 8",
        title="Content that ends too early",
        text="A message body that uses the chunked transfer coding is incomplete if the zero-sized "
        "chunk that terminates the encoding has not been received. A message that uses a valid "
        "Content-Length is incomplete if the size of the message body received (in octets) is less "
        "than the value given by Content-Length.",
        variants=(
            _cut(
                "length",
                "a POST with Content-Length: 10 and five octets",
                post("Content-Length: 10", body=HELLO, target="/echo?cut-length"),
            ),
            _cut(
                "chunk",
                "a POST with half a chunk",
                chunked(b"A\r\nhello", target="/echo?cut-chunk"),
            ),
            _cut(
                "chunks",
                "a POST with a chunk, and no last chunk",
                chunked(b"5\r\nhello\r\n", target="/echo?cut-chunks"),
            ),
        ),
    ),
)
