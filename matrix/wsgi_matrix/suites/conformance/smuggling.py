"""Published attacks on where a request ends, S1 to S20, each with a request hidden after it.

A server that reads the octets as the attacker wants responds to ``/smuggled``. Accepted is what the
section says: an error and a closed connection, or the one reading that the RFC has, and no response
to what is hidden.
"""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.echo_matchers import (
    CLOSE,
    HELLO_CHUNKED,
    LENGTH_REQUIRED,
    content,
    exchange_to_end,
    faulty_framing,
    post,
    raw,
    variable,
)
from wsgi_matrix.suites.conformance.matchers import Matcher, either, refused, silence
from wsgi_matrix.suites.conformance.quotes import (
    BARE_CR,
    BARE_LF,
    CHUNKED_NOT_FINAL,
    CODING_IN_HTTP10,
    CR_LF_NUL,
    INVALID_CONTENT_LENGTH,
    LAST_CHUNK,
    LENGTH_AND_CODING,
    NO_CONTENT,
    NOT_THE_GRAMMAR,
    OBS_FOLD,
    SPACE_BEFORE_COLON,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import request

HIDDEN = request("/smuggled")
CHUNKED = "Transfer-Encoding: chunked"
LENGTH = f"Content-Length: {len(HIDDEN)}"
CUT = b"0\r\n\r\n" + HIDDEN
"""For who reads chunks no content, and a request after it; for who reads lengths all is content."""
WITH_LENGTH = f"Content-Length: {len(CUT)}"

REFUSED = faulty_framing()
ONE_READING = either(REFUSED, content(b"", closed=True))
"""No content and a closed connection, or an error."""
POST_LINE = b"POST /echo HTTP/1.1"


def _attack(
    what: str,
    alias: str,
    cite: str,
    title: str,
    text: str,
    *sent: tuple[str, str, bytes],
    expects: Matcher = REFUSED,
    level: Level = Level.MUST,
    method: str = "POST",
) -> Rule:
    """``sent``: of each variant its name, what it sends in words, and the octets."""
    return Rule(
        id=f"smuggling/{what}",
        alias=alias,
        level=level,
        cite=cite,
        title=title,
        text=text,
        variants=tuple(
            Variant(name=name, sends=sends, steps=exchange_to_end(data, method), expects=expects)
            for name, sends, data in sent
        ),
    )


def _size(size: bytes) -> tuple[str, bytes]:
    return (
        f"a chunked POST with the chunk size {size.decode()!r}, and a request",
        post(CHUNKED, body=size + b"\r\nhello\r\n0\r\n\r\n" + HIDDEN),
    )


RULES: tuple[Rule, ...] = (
    _attack(
        "length-and-chunked",
        "S1",
        "RFC 9112 section 6.1 (CL.TE)",
        "Content-Length with chunked",
        LENGTH_AND_CODING,
        (
            "length-first",
            "a POST with Content-Length, then chunked: the last chunk, and a request within the "
            "length",
            post(WITH_LENGTH, CHUNKED, body=CUT),
        ),
        (
            "chunked-first",
            "a POST with chunked, then Content-Length: the last chunk, and a request within the "
            "length",
            post(CHUNKED, WITH_LENGTH, body=CUT),
        ),
        expects=ONE_READING,
    ),
    _attack(
        "chunked-not-final",
        "S2",
        "RFC 9112 section 6.3, CVE-2024-1135",
        "Chunked is not the last coding",
        CHUNKED_NOT_FINAL,
        (
            "identity-line",
            "a POST with the lines chunked and identity; the last chunk, and a request",
            post(CHUNKED, "Transfer-Encoding: identity", body=CUT),
        ),
        (
            "identity-in-list",
            "a POST with Transfer-Encoding 'chunked, identity'; the last chunk, and a request",
            post("Transfer-Encoding: chunked, identity", body=CUT),
        ),
        (
            "gzip-line",
            "a POST with the lines chunked and gzip, and Content-Length; the last chunk, and a "
            "request within the length",
            post(CHUNKED, "Transfer-Encoding: gzip", WITH_LENGTH, body=CUT),
        ),
    ),
    _attack(
        "unknown-coding",
        "S3",
        "RFC 9112 section 6.3, CVE-2024-6827, CVE-2019-16786",
        "Unknown coding with Content-Length",
        CHUNKED_NOT_FINAL,
        *(
            (
                name,
                f"a POST with Transfer-Encoding '{coding}' and Content-Length: 5; five octets, and "
                "a request",
                post(f"Transfer-Encoding: {coding}", "Content-Length: 5", body=b"hello" + HIDDEN),
            )
            for name, coding in (
                ("prefix", "xchunked"),
                ("suffix", "chunked-foo"),
                ("identity", "identity"),
            )
        ),
    ),
    _attack(
        "odd-whitespace-around-chunked",
        "S4",
        "RFC 9112 section 6.3, RFC 9110 section 5.6.3, CVE-2019-16789",
        "Odd whitespace around chunked",
        CHUNKED_NOT_FINAL,
        *(
            (
                name,
                f"a POST with {octet} {where} 'chunked', and Content-Length; the last chunk, and a "
                "request within the length",
                post(f"Transfer-Encoding: {coding}", WITH_LENGTH, body=CUT),
            )
            for name, octet, where, coding in (
                ("vt", "VT (0x0B)", "before", "\x0bchunked"),
                ("nel", "the octet 0x85", "after", "chunked\x85"),
                ("nbsp", "the octet 0xA0", "before", "\xa0chunked"),
            )
        ),
    ),
    _attack(
        "content-lengths-differ",
        "S5",
        "RFC 9112 section 6.3, CVE-2019-16792",
        "Content-Lengths that differ",
        INVALID_CONTENT_LENGTH,
        (
            "zero-first",
            "a POST with Content-Length: 0, then one that covers a request; the request",
            post("Content-Length: 0", LENGTH, body=HIDDEN),
        ),
        (
            "zero-last",
            "a POST with a Content-Length that covers a request, then Content-Length: 0; the "
            "request",
            post(LENGTH, "Content-Length: 0", body=HIDDEN),
        ),
    ),
    _attack(
        "content-length-signed",
        "S6",
        "RFC 9112 section 6.3, CVE-2022-24761",
        "Content-Length with + or _",
        INVALID_CONTENT_LENGTH,
        (
            "plus",
            "a POST with + before the Content-Length of a request; the request",
            post(f"Content-Length: +{len(HIDDEN)}", body=HIDDEN),
        ),
        (
            "underscore",
            "a POST with _ within the Content-Length of a request; the request",
            post(f"Content-Length: {len(HIDDEN) // 10}_{len(HIDDEN) % 10}", body=HIDDEN),
        ),
    ),
    _attack(
        "content-length-empty",
        "S7",
        "RFC 9112 section 6.3, CVE-2023-40175",
        "Empty Content-Length",
        INVALID_CONTENT_LENGTH,
        (
            "alone",
            "a POST with an empty Content-Length; a request",
            post("Content-Length: ", body=HIDDEN),
        ),
        (
            "with-chunked",
            "a POST with an empty Content-Length and chunked; the last chunk, and a request",
            post("Content-Length: ", CHUNKED, body=CUT),
        ),
    ),
    _attack(
        "chunk-size-not-hex",
        "S8",
        "RFC 9112 sections 2.2 and 7.1, CVE-2022-24761",
        "Chunk size is not hexadecimal",
        NOT_THE_GRAMMAR,
        ("prefix", *_size(b"0x5")),
        ("plus", *_size(b"+5")),
        ("underscore", *_size(b"0_5")),
        level=Level.SHOULD,
    ),
    _attack(
        "chunk-without-crlf",
        "S9",
        "RFC 9112 sections 2.2 and 7.1, CVE-2025-43859",
        "Chunk that CRLF does not end",
        NOT_THE_GRAMMAR,
        (
            "octets",
            "a chunked POST with XX instead of CRLF after the data of a chunk, and a request",
            post(CHUNKED, body=b"5\r\nhelloXX0\r\n\r\n" + HIDDEN),
        ),
        (
            "cr",
            "a chunked POST with a bare CR after the data of a chunk, and a request",
            post(CHUNKED, body=b"5\r\nhello\r0\r\n\r\n" + HIDDEN),
        ),
        level=Level.SHOULD,
    ),
    _attack(
        "chunk-bare-lf",
        "S10",
        "RFC 9112 sections 2.2 and 7.1.1, CVE-2022-24761",
        "Bare LF in a chunk extension",
        NOT_THE_GRAMMAR,
        (
            "empty-extension",
            "a chunked POST whose last chunk has ; and a bare LF, and a request",
            post(CHUNKED, body=b"0;\nx\r\n\r\n" + HIDDEN),
        ),
        (
            "extension",
            "a chunked POST whose first chunk has an extension and a bare LF, and a request",
            post(CHUNKED, body=b"5;a\nhello\r\n0\r\n\r\n" + HIDDEN),
        ),
        level=Level.SHOULD,
    ),
    _attack(
        "whitespace-before-colon",
        "S11",
        "RFC 9112 section 5.1, CVE-2019-16276",
        "Whitespace before a framing field's colon",
        SPACE_BEFORE_COLON,
        (
            "length",
            "a POST with SP before the colon of Content-Length: 5; five octets, and a request",
            post("Content-Length : 5", body=b"hello" + HIDDEN),
        ),
        (
            "coding",
            "a POST with SP before the colon of Transfer-Encoding, and Content-Length; the last "
            "chunk, and a request within the length",
            post("Transfer-Encoding : chunked", WITH_LENGTH, body=CUT),
        ),
        expects=refused(400, method="POST"),
    ),
    _attack(
        "bare-lf-in-field",
        "S12",
        "RFC 9112 section 2.2, CVE-2019-16785, CVE-2021-41136",
        "Bare LF before Transfer-Encoding",
        BARE_LF,
        (
            "",
            "a POST with a bare LF and Transfer-Encoding: chunked in the value of X-A, and "
            "Content-Length; the last chunk, and a request within the length",
            raw(POST_LINE, b"X-A: b\nTransfer-Encoding: chunked", WITH_LENGTH.encode()) + CUT,
        ),
        expects=either(ONE_READING, content(CUT)),
        level=Level.MAY,
    ),
    _attack(
        "bare-cr-in-field",
        "S13",
        "RFC 9112 section 2.2",
        "Bare CR before Transfer-Encoding",
        BARE_CR,
        (
            "",
            "a POST with a bare CR and Transfer-Encoding: chunked in the value of X-A, and "
            "Content-Length; the last chunk, and a request within the length",
            raw(POST_LINE, b"X-A: b\rTransfer-Encoding: chunked", WITH_LENGTH.encode()) + CUT,
        ),
        expects=either(REFUSED, content(CUT)),
    ),
    _attack(
        "nul-in-field",
        "S14",
        "RFC 9110 section 5.5 (gunicorn issue 3144)",
        "NUL in a framing field",
        CR_LF_NUL,
        (
            "coding",
            "a POST with NUL after 'chunked', and Content-Length; the last chunk, and a request "
            "within the length",
            raw(POST_LINE, b"Transfer-Encoding: chunked\0", WITH_LENGTH.encode()) + CUT,
        ),
        (
            "length",
            "a POST with NUL after Content-Length: 5; five octets, and a request",
            raw(POST_LINE, b"Content-Length: 5\0") + b"hello" + HIDDEN,
        ),
    ),
    _attack(
        "obs-fold",
        "S15",
        "RFC 9112 section 5.2",
        "Folded Transfer-Encoding",
        OBS_FOLD,
        (
            "",
            "a POST whose Transfer-Encoding has 'chunked' on a folded line, and Content-Length; "
            "the last chunk, and a request within the length",
            raw(POST_LINE, b"Transfer-Encoding:", b" chunked", WITH_LENGTH.encode()) + CUT,
        ),
        expects=ONE_READING,
    ),
    _attack(
        "underscore-in-name",
        "S16",
        "RFC 9110 section 5.1, CVE-2015-0219, CVE-2024-45614",
        "Underscore in a framing field's name",
        "A field name labels the corresponding field value as having the semantics defined by that "
        "name.",
        (
            "length",
            "a POST with the Content_Length of a request, and Content-Length: 0",
            post(f"Content_Length: {len(HIDDEN)}", "Content-Length: 0", CLOSE),
        ),
        (
            "coding",
            "a POST with Transfer_Encoding: chunked and Content-Length: 5; the last chunk",
            post("Transfer_Encoding: chunked", "Content-Length: 5", CLOSE, body=b"0\r\n\r\n"),
        ),
        expects=either(
            refused(method="POST"),
            content(b"", closed=True),
            content(b"0\r\n\r\n", closed=True),
            silence(),
        ),
    ),
    _attack(
        "after-an-invalid-request",
        "S17",
        "RFC 9112 section 2.2, CVE-2024-49768",
        "Request after an invalid one",
        NOT_THE_GRAMMAR,
        (
            "line",
            "a request line with two words too many, and a request",
            raw(b"GET /echo to me HTTP/1.1") + HIDDEN,
        ),
        (
            "colon",
            "a GET with SP before the colon of a field, and a request",
            raw(b"GET /echo HTTP/1.1", b"X-A : b") + HIDDEN,
        ),
        expects=either(refused(), silence()),
        level=Level.SHOULD,
        method="GET",
    ),
    _attack(
        "websocket-key1",
        "S18",
        "RFC 9112 section 6.3 (gunicorn issue 2955)",
        "Sec-WebSocket-Key1 as framing",
        NO_CONTENT,
        (
            "",
            "a GET with Sec-WebSocket-Key1 and Upgrade: websocket, and eight octets",
            request("/echo", "Sec-WebSocket-Key1: x", "Upgrade: websocket", CLOSE) + b"8 octets",
        ),
        expects=either(variable("CONTENT_LENGTH", None, "", "0"), refused()),
        method="GET",
    ),
    _attack(
        "trailer-section",
        "S19",
        "RFC 9112 sections 7.1 and 7.1.2, CVE-2023-41419, CVE-2023-40175",
        "Request in a trailer section",
        LAST_CHUNK,
        (
            "field",
            "a chunked POST whose trailer section begins with the field GET: /smuggled HTTP/1.1",
            post(
                CHUNKED,
                CLOSE,
                body=HELLO_CHUNKED[:-2] + b"GET: /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ),
        ),
        (
            "request-line",
            "a chunked POST whose trailer section begins with a request line",
            post(
                CHUNKED,
                CLOSE,
                body=HELLO_CHUNKED[:-2] + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ),
        ),
        # Whether chunks are read at all is R46's.
        expects=either(
            content(b"hello", closed=True), content(b"", closed=True), REFUSED, LENGTH_REQUIRED
        ),
    ),
    _attack(
        "transfer-encoding-in-http10",
        "S20",
        "RFC 9112 section 6.1",
        "Transfer-Encoding in HTTP/1.0",
        CODING_IN_HTTP10,
        (
            "",
            "a POST of HTTP/1.0 with chunked, Content-Length and keep-alive; the last chunk, and a "
            "request within the length",
            post(CHUNKED, WITH_LENGTH, "Connection: keep-alive", body=CUT, version="HTTP/1.0"),
        ),
        expects=either(ONE_READING, content(CUT, closed=True)),
    ),
)
