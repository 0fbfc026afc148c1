"""Where the content of a request ends: Content-Length and Transfer-Encoding, R34 to R45."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.inspector import (
    CLOSE,
    HELLO_CHUNKED,
    ask,
    ask_to_end,
    content,
    decoded,
    in_order,
    not_complete,
    post,
    unframed,
)
from wsgi_matrix.suites.conformance.rule import ERRORS, Rule, Try, answer, either, refused, silence
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
CODINGS = (("line", (CHUNKED, CHUNKED)), ("list", ("Transfer-Encoding: chunked, chunked",)))


def _transfer(*fields: str, version: str = "HTTP/1.1") -> bytes:
    return post(*fields, body=HELLO_CHUNKED, version=version)


RULES: tuple[Rule, ...] = (
    Rule(
        id="R34",
        level=Level.MUST,
        cite="RFC 9112 sections 6.1 and 6.3",
        says="Transfer-Encoding overrides Content-Length or is refused, and the connection closed",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(_transfer(*fields), "POST"),
                accept=either(unframed(), content(HELLO, closed=True)),
            )
            for name, fields in (
                ("before", ("Content-Length: 3", CHUNKED)),
                ("behind", (CHUNKED, "Content-Length: 3")),
            )
        ),
    ),
    Rule(
        id="R35",
        level=Level.MUST,
        cite="RFC 9112 section 6.1",
        says="Transfer-Encoding in HTTP/1.0 is faulty framing: the connection is closed",
        tries=(
            Try(
                steps=ask_to_end(
                    _transfer(CHUNKED, "Connection: keep-alive", version="HTTP/1.0"), "POST"
                ),
                accept=either(answer(method="POST", closed=True), silence()),
            ),
        ),
    ),
    Rule(
        id="R36",
        level=Level.SHOULD,
        cite="RFC 9112 section 6.1",
        says="a transfer coding that is not understood is answered with 501",
        tries=(
            Try(
                steps=ask(_transfer("Transfer-Encoding: frob, chunked"), "POST"),
                accept=answer(501, method="POST"),
            ),
        ),
    ),
    Rule(
        id="R37",
        level=Level.MUST,
        cite="RFC 9112 section 6.3",
        says="a Transfer-Encoding that does not end with chunked is 400, and the connection closed",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(_transfer(f"Transfer-Encoding: {value}"), "POST"),
                # 6.1 has 501 for a coding that is not understood.
                accept=refused(400, 501, method="POST"),
            )
            for name, value in (("behind", "chunked, gzip"), ("alone", "gzip"))
        ),
    ),
    Rule(
        id="R38",
        level=Level.SHOULD,
        cite="RFC 9112 sections 6.1 and 6.3",
        says="chunked, which is never applied twice, is not read as if it were applied once",
        tries=tuple(
            Try(name=name, steps=ask_to_end(_transfer(*fields), "POST"), accept=unframed())
            for name, fields in CODINGS
        ),
    ),
    Rule(
        id="R39",
        level=Level.MUST,
        cite="RFC 9112 section 7",
        says="names of codings have no case",
        tries=(
            Try(steps=ask(_transfer("Transfer-Encoding: CHUNKED"), "POST"), accept=decoded(HELLO)),
        ),
    ),
    Rule(
        id="R40",
        level=Level.MUST,
        cite="RFC 9112 section 6.3, RFC 9110 section 5.6.1",
        says="what only looks like chunked is refused, and the connection closed",
        tries=(
            Try(
                name="prefix",
                steps=ask_to_end(_transfer("Transfer-Encoding: xchunked"), "POST"),
                accept=refused(400, 501, method="POST"),
            ),
            Try(
                name="control",
                steps=ask_to_end(_transfer("Transfer-Encoding: \x0bchunked"), "POST"),
                accept=refused(400, 501, method="POST"),
            ),
            Try(
                name="quoted",
                steps=ask_to_end(_transfer('Transfer-Encoding: "chunked"'), "POST"),
                accept=refused(400, 501, method="POST"),
            ),
            Try(
                name="comma",  # an empty element of a list: to be ignored
                steps=ask(_transfer("Transfer-Encoding: , chunked"), "POST"),
                accept=either(content(HELLO), answer(400, 411, 501, method="POST")),
            ),
        ),
    ),
    Rule(
        id="R41",
        level=Level.MUST,
        cite="RFC 9112 section 6.3, RFC 9110 section 8.6",
        says="a Content-Length that is no number is 400, and the connection closed",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(post(f"Content-Length: {value}", body=HELLO), "POST"),
                accept=refused(400, method="POST"),
            )
            for name, value in LENGTHS
        ),
    ),
    Rule(
        id="R42",
        level=Level.MUST,
        cite="RFC 9112 section 6.3",
        says="Content-Lengths that differ are 400, and the connection closed",
        tries=tuple(
            Try(
                name=name,
                steps=ask_to_end(post(*fields, body=b"hello!"), "POST"),
                accept=refused(400, method="POST"),
            )
            for name, fields in (
                ("lines", ("Content-Length: 5", "Content-Length: 6")),
                ("list", ("Content-Length: 5, 6",)),
            )
        ),
    ),
    Rule(
        id="R43",
        level=Level.MAY,
        cite="RFC 9110 section 8.6",
        says="Content-Lengths that are the same are taken for one, or refused",
        tries=tuple(
            Try(
                name=name,
                steps=ask(post(*fields, body=HELLO), "POST"),
                accept=either(content(HELLO), answer(400, method="POST")),
            )
            for name, fields in (
                ("lines", ("Content-Length: 5", "Content-Length: 5")),
                ("list", ("Content-Length: 5, 5",)),
            )
        ),
    ),
    Rule(
        id="R44",
        level=Level.MUST,
        cite="RFC 9110 section 8.6",
        says="a huge Content-Length does not overflow",
        tries=tuple(
            Try(
                name=name,
                # Who counts modulo 2^32 or 2^64 finds a request behind five octets. Our end comes
                # behind it, so that nobody waits for the others.
                steps=(
                    send(post(f"Content-Length: {value}", body=HELLO + request("/smuggled"))),
                    half_close(),
                    responses("POST"),
                    end(),
                ),
                accept=either(answer(*ERRORS, method="POST"), not_complete(None), silence()),
            )
            for name, value in (
                ("digits", 10**23),
                ("wraps-64", 2**64 + 5),
                ("wraps-32", 2**32 + 5),
            )
        ),
    ),
    Rule(
        id="R45",
        level=Level.MUST,
        cite="RFC 9112 section 6.3",
        says="without Content-Length and Transfer-Encoding there is no content",
        tries=(
            Try(
                steps=(
                    send(post()),
                    responses("POST"),
                    send(request("/next", CLOSE)),
                    responses("GET"),
                ),
                accept=in_order(["/echo", "/next"], ["POST", "GET"]),
            ),
        ),
    ),
)
