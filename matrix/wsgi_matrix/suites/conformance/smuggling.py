"""Published attacks on where a request ends, S1 to S20, each with a request hidden behind it.

A server that reads the octets as the attacker wants answers ``/smuggled``. Accepted is what the
section says: a refusal and a closed connection, or the one reading that the RFC has, and nothing of
what is hidden.
"""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.inspector import (
    CLOSE,
    HELLO_CHUNKED,
    LENGTH_REQUIRED,
    ask_to_end,
    content,
    header,
    not_complete,
    post,
    raw,
)
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try, either, refused, silence
from wsgi_matrix.suites.conformance.steps import request

HIDDEN = request("/smuggled")
CHUNKED = "Transfer-Encoding: chunked"
LENGTH = f"Content-Length: {len(HIDDEN)}"
CUT = b"0\r\n\r\n" + HIDDEN
"""To who reads chunks no content, and a request behind it; to who reads lengths all is content."""
WITH_LENGTH = f"Content-Length: {len(CUT)}"

ONE_READING = either(refused(method="POST"), not_complete(), content(b"", closed=True), silence())
"""No content and a closed connection, or an error."""
REFUSED = either(refused(method="POST"), not_complete(), silence())


def _attack(
    number: int,
    cite: str,
    says: str,
    *sent: bytes,
    accept: Accept = REFUSED,
    level: Level = Level.MUST,
    method: str = "POST",
) -> Rule:
    names = [""] if len(sent) == 1 else [str(count) for count in range(1, len(sent) + 1)]
    return Rule(
        id=f"S{number}",
        level=level,
        cite=cite,
        says=says,
        tries=tuple(
            Try(name=name, steps=ask_to_end(data, method), accept=accept)
            for name, data in zip(names, sent, strict=True)
        ),
    )


def _size(size: bytes) -> bytes:
    return post(CHUNKED, body=size + b"\r\nhello\r\n0\r\n\r\n" + HIDDEN)


RULES: tuple[Rule, ...] = (
    _attack(
        1,
        "RFC 9112 section 6.1 (CL.TE)",
        "Transfer-Encoding beside Content-Length: nothing is read behind it",
        post(WITH_LENGTH, CHUNKED, body=CUT),
        post(CHUNKED, WITH_LENGTH, body=CUT),
        accept=ONE_READING,
    ),
    _attack(
        2,
        "RFC 9112 section 6.3, CVE-2024-1135",
        "a Transfer-Encoding that does not end with chunked is not read as chunked",
        post(CHUNKED, "Transfer-Encoding: identity", body=CUT),
        post("Transfer-Encoding: chunked, identity", body=CUT),
        post(CHUNKED, "Transfer-Encoding: gzip", WITH_LENGTH, body=CUT),
    ),
    _attack(
        3,
        "RFC 9112 section 6.3, CVE-2024-6827, CVE-2019-16786",
        "a coding that is none does not bring Content-Length back",
        post("Transfer-Encoding: xchunked", "Content-Length: 5", body=b"hello" + HIDDEN),
        post("Transfer-Encoding: chunked-foo", "Content-Length: 5", body=b"hello" + HIDDEN),
        post("Transfer-Encoding: identity", "Content-Length: 5", body=b"hello" + HIDDEN),
    ),
    _attack(
        4,
        "RFC 9112 section 6.3, RFC 9110 section 5.6.3, CVE-2019-16789",
        "other white space than SP and HTAB does not make a coding chunked",
        post("Transfer-Encoding: \x0bchunked", WITH_LENGTH, body=CUT),
        post("Transfer-Encoding: chunked\x85", WITH_LENGTH, body=CUT),
        post("Transfer-Encoding: \xa0chunked", WITH_LENGTH, body=CUT),
    ),
    _attack(
        5,
        "RFC 9112 section 6.3, CVE-2019-16792",
        "Content-Lengths that differ are refused",
        post("Content-Length: 0", LENGTH, body=HIDDEN),
        post(LENGTH, "Content-Length: 0", body=HIDDEN),
    ),
    _attack(
        6,
        "RFC 9112 section 6.3, CVE-2022-24761",
        "a signed or padded Content-Length is refused",
        post(f"Content-Length: +{len(HIDDEN)}", body=HIDDEN),
        post(f"Content-Length: {len(HIDDEN) // 10}_{len(HIDDEN) % 10}", body=HIDDEN),
    ),
    _attack(
        7,
        "RFC 9112 section 6.3, CVE-2023-40175",
        "an empty Content-Length is refused",
        post("Content-Length: ", body=HIDDEN),
        post("Content-Length: ", CHUNKED, body=CUT),
    ),
    _attack(
        8,
        "RFC 9112 sections 2.2 and 7.1, CVE-2022-24761",
        "a size with a sign, a prefix or _ is refused",
        _size(b"0x5"),
        _size(b"+5"),
        _size(b"0_5"),
        level=Level.SHOULD,
    ),
    _attack(
        9,
        "RFC 9112 sections 2.2 and 7.1, CVE-2025-43859",
        "what follows the data of a chunk has to be CRLF",
        post(CHUNKED, body=b"5\r\nhelloXX0\r\n\r\n" + HIDDEN),
        post(CHUNKED, body=b"5\r\nhello\r0\r\n\r\n" + HIDDEN),
        level=Level.SHOULD,
    ),
    _attack(
        10,
        "RFC 9112 sections 2.2 and 7.1.1, CVE-2022-24761",
        "a bare LF does not end the line of a chunk",
        post(CHUNKED, body=b"0;\nx\r\n\r\n" + HIDDEN),
        post(CHUNKED, body=b"5;a\nhello\r\n0\r\n\r\n" + HIDDEN),
        level=Level.SHOULD,
    ),
    _attack(
        11,
        "RFC 9112 section 5.1, CVE-2019-16276",
        "white space before a colon hides no framing",
        post("Content-Length : 5", body=b"hello" + HIDDEN),
        post("Transfer-Encoding : chunked", WITH_LENGTH, body=CUT),
        accept=refused(400, method="POST"),
    ),
    _attack(
        12,
        "RFC 9112 section 2.2, CVE-2019-16785, CVE-2021-41136",
        "a bare LF in the value of a field adds no framing",
        raw(b"POST /echo HTTP/1.1", b"X-A: b\nTransfer-Encoding: chunked", WITH_LENGTH.encode())
        + CUT,
        accept=either(ONE_READING, content(CUT)),
        level=Level.MAY,
    ),
    _attack(
        13,
        "RFC 9112 section 2.2",
        "a bare CR in a field adds no framing",
        raw(b"POST /echo HTTP/1.1", b"X-A: b\rTransfer-Encoding: chunked", WITH_LENGTH.encode())
        + CUT,
        accept=either(REFUSED, content(CUT)),
    ),
    _attack(
        14,
        "RFC 9110 section 5.5 (gunicorn issue 3144)",
        "NUL in a field hides no framing",
        raw(b"POST /echo HTTP/1.1", b"Transfer-Encoding: chunked\0", WITH_LENGTH.encode()) + CUT,
        raw(b"POST /echo HTTP/1.1", b"Content-Length: 5\0") + b"hello" + HIDDEN,
    ),
    _attack(
        15,
        "RFC 9112 section 5.2",
        "a folded Transfer-Encoding is refused, or read whole",
        raw(b"POST /echo HTTP/1.1", b"Transfer-Encoding:", b" chunked", WITH_LENGTH.encode()) + CUT,
        accept=ONE_READING,
    ),
    _attack(
        16,
        "RFC 9110 section 5.1, CVE-2015-0219, CVE-2024-45614",
        "a name with _ decides on no framing",
        post(f"Content_Length: {len(HIDDEN)}", "Content-Length: 0", CLOSE),
        post("Transfer_Encoding: chunked", "Content-Length: 5", CLOSE, body=b"0\r\n\r\n"),
        accept=either(
            refused(method="POST"),
            content(b"", closed=True),
            content(b"0\r\n\r\n", closed=True),
            silence(),
        ),
    ),
    _attack(
        17,
        "RFC 9112 section 2.2, CVE-2024-49768",
        "what is behind an invalid request is not read",
        raw(b"GET /echo to me HTTP/1.1") + HIDDEN,
        raw(b"GET /echo HTTP/1.1", b"X-A : b") + HIDDEN,
        accept=either(refused(), silence()),
        level=Level.SHOULD,
        method="GET",
    ),
    _attack(
        18,
        "RFC 9112 section 6.3 (gunicorn issue 2955)",
        "Sec-WebSocket-Key1 brings no content",
        request("/echo", "Sec-WebSocket-Key1: x", "Upgrade: websocket", CLOSE) + b"8 octets",
        accept=either(header("CONTENT_LENGTH", None, "", "0"), refused()),
        method="GET",
    ),
    _attack(
        19,
        "RFC 9112 section 7.1.2, CVE-2023-41419, CVE-2023-40175",
        "a trailer section ends where its empty line is, and is no request",
        post(
            CHUNKED,
            CLOSE,
            body=HELLO_CHUNKED[:-2] + b"GET: /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ),
        post(
            CHUNKED,
            CLOSE,
            body=HELLO_CHUNKED[:-2] + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ),
        # Whether chunks are read at all R46 asks.
        accept=either(
            content(b"hello", closed=True), content(b"", closed=True), REFUSED, LENGTH_REQUIRED
        ),
    ),
    _attack(
        20,
        "RFC 9112 section 6.1",
        "Transfer-Encoding in HTTP/1.0: nothing is read behind it",
        post(CHUNKED, WITH_LENGTH, "Connection: keep-alive", body=CUT, version="HTTP/1.0"),
        accept=either(ONE_READING, content(CUT, closed=True)),
    ),
)
