"""Servers that meet, and that break, the rules of connections, responses and expectations."""

from __future__ import annotations

from wsgi_matrix.suites.conformance.http1.connection import MUCH

from tests.conformance.responses import (
    CLOSE,
    DATE,
    HEAD_END,
    LEFT_OPEN,
    REFUSED,
    SILENT,
    TAKEN,
    TAKEN_AND_CLOSED,
    Scripts,
    bad,
    bare,
    echo,
    posted,
    response,
    serve,
)
from tests.conformance.scripted import CUT, FIN, HANG, RST, Pause, Wait

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

TEN = b"0123456789"
PLAIN = response(body=TEN)
NEXT = echo(path="/next", fields=(CLOSE,))
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
IN_CHUNKS = bare("200 OK", CHUNKED, body=b"a\r\n0123456789\r\n0\r\n\r\n")

add(
    "connection/persistent",
    ((HEAD_END, echo(), HEAD_END, NEXT),),
    ((HEAD_END, echo(), FIN),),
    ((HEAD_END, echo(), HEAD_END, HANG),),
    ((HEAD_END, echo(), HEAD_END, echo()),),
)
add("connection/close-option: alone list case line", TAKEN_AND_CLOSED, TAKEN)
add("connection/close-announced: asked", TAKEN_AND_CLOSED, serve(echo(), FIN))
add("connection/close-announced: error", REFUSED, serve(response("400 No"), FIN), SILENT)
add(
    "connection/closed-in-stages",
    REFUSED,
    serve(bad(), RST),
    ((Wait(MUCH), bad(), CUT),),
    ((Wait(MUCH), bad(), FIN, Pause(0.3), RST),),
    SILENT,
)
add(
    "connection/unknown-length-in-http10",
    serve(bare("200 OK", body=TEN), FIN),
    serve(IN_CHUNKS),
    serve(bare("200 OK", body=TEN), HANG),
)
THREE = echo() + echo(path="/2") + echo(path="/3", fields=(CLOSE,))
add(
    "connection/pipelining",
    serve(THREE, FIN),
    serve(echo(path="/3"), FIN),
    serve(echo(), HANG),
    serve(echo() + echo(path="/3") + echo(path="/2"), FIN),
)
add(
    "connection/unread-content: length chunked",
    serve(PLAIN + NEXT, FIN),
    serve(PLAIN + echo(path="/smuggled") + NEXT, FIN),
    serve(PLAIN + bad(), FIN),
)
add("response/head-without-content: plain", serve(PLAIN[: -len(TEN)], FIN), serve(PLAIN, FIN))
add(
    "response/head-without-content: stream",
    serve(bare("200 OK"), FIN),
    serve(bare("200 OK", body=TEN), FIN),
)
add("response/head-without-content: error", serve(bad(), FIN), serve(bad() + b"<html>", FIN))
add(
    "response/204-and-304-without-content: 204",
    serve(bare("204 No Content"), FIN),
    serve(bare("204 No Content", body=TEN), FIN),
    serve(bare("204 No Content", CHUNKED, body=b"0\r\n\r\n"), FIN),
)
add(
    "response/204-and-304-without-content: 304",
    serve(bare("304 Not Modified"), FIN),
    serve(bare("304 Not Modified", "Content-Length: 10", body=TEN), FIN),
)
add(
    "response/204-without-framing: plain length",
    serve(bare("204 No Content")),
    serve(bare("204 No Content", "Content-Length: 0")),
    serve(bare("204 No Content", CHUNKED)),
)
add(
    "response/content-length-of-head-and-304: head head-stream",
    serve(PLAIN[: -len(TEN)], FIN),
    serve(bare("200 OK", "Content-Length: 0"), FIN),
    SILENT,
)
add(
    "response/content-length-of-head-and-304: 304",
    serve(bare("304 No"), FIN),
    serve(bare("304 No", "Content-Length: 0"), FIN),
)
add(
    "response/no-transfer-encoding-in-http10",
    serve(bare("200 OK", body=TEN), FIN),
    serve(IN_CHUNKS, FIN),
)
add(
    "response/one-framing: stream both",
    serve(IN_CHUNKS, FIN),
    serve(bare("200 OK", CHUNKED, "Content-Length: 10", body=b"0\r\n\r\n"), FIN),
    serve(bare("200 OK", "Content-Length: 10", CHUNKED, body=TEN), FIN),
)
add(
    "response/date: 200 304 404 refused",
    serve(response("200 OK", DATE)),
    serve(response()),
    serve(response("200 OK", DATE, DATE)),
    serve(response("200 OK", DATE.replace("GMT", "UTC"))),
    serve(response("200 OK", "Date: 2026-11-24T22:00:00Z")),
)
add("response/space-after-status-code: empty none", serve(response("200 ")), serve(response("200")))
SERVED = (echo(fields=(CLOSE,)), FIN)
add(
    "response/status-code-of-three-digits: banana two-digits",
    ((bad(500), FIN), SERVED),
    ((response("banana"), FIN), SERVED),
    ((response("20 OK"), FIN), SERVED),
    ((bad(500), FIN), (FIN,)),
)
add(
    "response/splitting: value value-lf value-cr name reason",
    serve(bad(500), FIN),
    serve(response("200 OK", "X-A: a", "X-Split: yes"), FIN),
    serve(response("200 OK", "X-A: a\nX-Split: yes"), FIN),
    serve(response("200 OK", "X-A: a\rX-Split: yes"), FIN),
)
add(
    "response/grammar: status-nul name-space name-empty value-nul",
    serve(response("200 OK", "X-Rules: : yes\xe9\tyes"), FIN),
    serve(response("200 O\0K"), FIN),
    serve(response("200 OK", "X Rules: yes"), FIN),
    serve(response("200 OK", ": yes"), FIN),
    serve(response("200 OK", "yes"), FIN),
    serve(response("200 OK", "X-Rules: a\0b"), FIN),
)
add(
    "expect/100-continue: lower",
    ((HEAD_END, CONTINUE, Wait(b"hello"), posted()),),
    ((HEAD_END, Wait(b"hello"), posted()),),
    ((HEAD_END, CONTINUE, Wait(b"hello"), FIN),),
)
add(
    "expect/100-continue: mixed",
    ((HEAD_END, bad(417), FIN),),
    ((HEAD_END, CONTINUE, Wait(b"hello"), FIN),),
)
add(
    "expect/http10",
    ((HEAD_END, Wait(b"hello"), posted(), FIN),),
    ((HEAD_END, CONTINUE, Wait(b"hello"), posted(), FIN),),
    ((HEAD_END, FIN),),
)
add("expect/unknown", serve(bad(417), FIN), REFUSED, serve(posted(b"")))
SWITCH = bare("101 Switching Protocols", "Connection: upgrade", "Upgrade: h2c")
add("upgrade/ignored: unknown old", TAKEN, serve(SWITCH), REFUSED)
add(
    "method/trace",
    serve(bad(405), FIN),
    serve(response("200 OK", "Content-Type: message/http", body=b"TRACE /echo HTTP/1.1\r\n\r\n")),
)
add("connection/proxy-protocol: v1", REFUSED, TAKEN_AND_CLOSED, LEFT_OPEN)
add("connection/proxy-protocol: v2", REFUSED, TAKEN_AND_CLOSED, serve(bad() + echo(), FIN))
