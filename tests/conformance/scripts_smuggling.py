"""Servers that are proof against each published attack, and servers that fall for it."""

from __future__ import annotations

from tests.conformance.responses import (
    CLOSE,
    LEFT_OPEN,
    READ_ON,
    REFUSED,
    Scripts,
    bad,
    echo,
    posted,
    serve,
)
from tests.conformance.scripted import FIN

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

HIDDEN = echo(path="/smuggled", fields=(CLOSE,))
SMUGGLED = serve(posted(b"") + HIDDEN, FIN)
"""Two requests were read."""
HELLO_SMUGGLED = serve(posted() + HIDDEN, FIN)
ONE = serve(posted(b"", fields=(CLOSE,)), FIN)
BY_LENGTH = serve(posted(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n", fields=(CLOSE,)), FIN)

add("smuggling/length-and-chunked: length-first chunked-first", ONE, SMUGGLED, BY_LENGTH)
add(
    "smuggling/chunked-not-final: identity-line identity-in-list gzip-line",
    REFUSED,
    SMUGGLED,
    BY_LENGTH,
    ONE,
)
add("smuggling/unknown-coding: prefix", REFUSED, HELLO_SMUGGLED, READ_ON, LEFT_OPEN)
add("smuggling/unknown-coding: suffix identity", REFUSED, HELLO_SMUGGLED, READ_ON)
add("smuggling/odd-whitespace-around-chunked: vt nel nbsp", REFUSED, SMUGGLED, ONE, READ_ON)
add("smuggling/content-lengths-differ: zero-first zero-last", REFUSED, SMUGGLED, ONE)
add("smuggling/content-length-signed: plus underscore", REFUSED, SMUGGLED, ONE)
add("smuggling/content-length-empty: alone with-chunked", REFUSED, SMUGGLED, ONE)
add("smuggling/chunk-size-not-hex: prefix plus underscore", REFUSED, HELLO_SMUGGLED, READ_ON)
add("smuggling/chunk-without-crlf: octets cr", REFUSED, HELLO_SMUGGLED, READ_ON)
add("smuggling/chunk-bare-lf: empty-extension extension", REFUSED, SMUGGLED, READ_ON)
add(
    "smuggling/whitespace-before-colon: length coding", REFUSED, SMUGGLED, HELLO_SMUGGLED, BY_LENGTH
)
add("smuggling/bare-lf-in-field", REFUSED, SMUGGLED)
add("smuggling/bare-cr-in-field", REFUSED, SMUGGLED, ONE)
add("smuggling/nul-in-field: coding length", REFUSED, SMUGGLED, BY_LENGTH)
add("smuggling/obs-fold", ONE, SMUGGLED, BY_LENGTH)
add(
    "smuggling/underscore-in-name: length coding",
    ONE,
    serve(posted(b"GET /smuggled", fields=(CLOSE,)), FIN),
    serve(posted(b"", complete=False, fields=(CLOSE,)), FIN),
)
add(
    "smuggling/after-an-invalid-request: line colon",
    REFUSED,
    serve(bad() + HIDDEN, FIN),
    serve(echo() + HIDDEN, FIN),
)
add(
    "smuggling/websocket-key1",
    serve(echo(fields=(CLOSE,)), FIN),
    serve(echo(headers={"CONTENT_LENGTH": "8"}), FIN),
)
add(
    "smuggling/trailer-section: field", serve(posted(fields=(CLOSE,)), FIN), HELLO_SMUGGLED, READ_ON
)
add("smuggling/trailer-section: request-line", ONE, HELLO_SMUGGLED, SMUGGLED, READ_ON)
add("smuggling/transfer-encoding-in-http10", ONE, SMUGGLED)
