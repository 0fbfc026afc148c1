"""Servers that keep, and that break, the rules of connections, answers and expectations."""

from __future__ import annotations

from wsgi_matrix.suites.conformance.http1.connection import MUCH

from tests.conformance.answered import (
    CLOSE,
    DATE,
    HEAD_END,
    LEFT_OPEN,
    REFUSED,
    SILENT,
    TAKEN,
    TAKEN_AND_CLOSED,
    Scripts,
    answer,
    bad,
    bare,
    echo,
    posted,
    serve,
)
from tests.conformance.scripted import CUT, FIN, HANG, RST, Pause, Wait

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

TEN = b"0123456789"
PLAIN = answer(body=TEN)
NEXT = echo(path="/next", fields=(CLOSE,))
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
IN_CHUNKS = bare("200 OK", CHUNKED, body=b"a\r\n0123456789\r\n0\r\n\r\n")

add(
    "R58",
    ((HEAD_END, echo(), HEAD_END, NEXT),),
    ((HEAD_END, echo(), FIN),),
    ((HEAD_END, echo(), HEAD_END, HANG),),
    ((HEAD_END, echo(), HEAD_END, echo()),),
)
add("R59-alone R59-list R59-case R59-line", TAKEN_AND_CLOSED, TAKEN)
add("R60-asked", TAKEN_AND_CLOSED, serve(echo(), FIN))
add("R60-error", REFUSED, serve(answer("400 No"), FIN), SILENT)
add(
    "R61",
    REFUSED,
    serve(bad(), RST),
    ((Wait(MUCH), bad(), CUT),),
    ((Wait(MUCH), bad(), FIN, Pause(0.3), RST),),
    SILENT,
)
add(
    "R62",
    serve(bare("200 OK", body=TEN), FIN),
    serve(IN_CHUNKS),
    serve(bare("200 OK", body=TEN), HANG),
)
THREE = echo() + echo(path="/2") + echo(path="/3", fields=(CLOSE,))
add(
    "R63",
    serve(THREE, FIN),
    serve(echo(path="/3"), FIN),
    serve(echo(), HANG),
    serve(echo() + echo(path="/3") + echo(path="/2"), FIN),
)
add(
    "R64-length R64-chunked",
    serve(PLAIN + NEXT, FIN),
    serve(PLAIN + echo(path="/smuggled") + NEXT, FIN),
    serve(PLAIN + bad(), FIN),
)
add("R65-plain", serve(PLAIN[: -len(TEN)], FIN), serve(PLAIN, FIN))
add("R65-stream", serve(bare("200 OK"), FIN), serve(bare("200 OK", body=TEN), FIN))
add("R65-error", serve(bad(), FIN), serve(bad() + b"<html>", FIN))
add(
    "R66-204",
    serve(bare("204 No Content"), FIN),
    serve(bare("204 No Content", body=TEN), FIN),
    serve(bare("204 No Content", CHUNKED, body=b"0\r\n\r\n"), FIN),
)
add(
    "R66-304",
    serve(bare("304 Not Modified"), FIN),
    serve(bare("304 Not Modified", "Content-Length: 10", body=TEN), FIN),
)
add(
    "R67-plain R67-length",
    serve(bare("204 No Content")),
    serve(bare("204 No Content", "Content-Length: 0")),
    serve(bare("204 No Content", CHUNKED)),
)
add(
    "R68-head R68-head-stream",
    serve(PLAIN[: -len(TEN)], FIN),
    serve(bare("200 OK", "Content-Length: 0"), FIN),
    SILENT,
)
add("R68-304", serve(bare("304 No"), FIN), serve(bare("304 No", "Content-Length: 0"), FIN))
add("R69", serve(bare("200 OK", body=TEN), FIN), serve(IN_CHUNKS, FIN))
add(
    "R70-stream R70-both",
    serve(IN_CHUNKS, FIN),
    serve(bare("200 OK", CHUNKED, "Content-Length: 10", body=b"0\r\n\r\n"), FIN),
    serve(bare("200 OK", "Content-Length: 10", CHUNKED, body=TEN), FIN),
)
add(
    "R71-200 R71-304 R71-404 R71-refused",
    serve(answer("200 OK", DATE)),
    serve(answer()),
    serve(answer("200 OK", DATE, DATE)),
    serve(answer("200 OK", DATE.replace("GMT", "UTC"))),
    serve(answer("200 OK", "Date: 2026-11-24T22:00:00Z")),
)
add("R72-empty R72-none", serve(answer("200 ")), serve(answer("200")))
SERVED = (echo(fields=(CLOSE,)), FIN)
add(
    "R73-banana R73-two-digits",
    ((bad(500), FIN), SERVED),
    ((answer("banana"), FIN), SERVED),
    ((answer("20 OK"), FIN), SERVED),
    ((bad(500), FIN), (FIN,)),
)
add(
    "R84-value R84-value-lf R84-value-cr R84-name R84-reason",
    serve(bad(500), FIN),
    serve(answer("200 OK", "X-A: a", "X-Split: yes"), FIN),
    serve(answer("200 OK", "X-A: a\nX-Split: yes"), FIN),
    serve(answer("200 OK", "X-A: a\rX-Split: yes"), FIN),
)
add(
    "R84-grammar-status-nul R84-grammar-name-space R84-grammar-name-empty R84-grammar-value-nul",
    serve(answer("200 OK", "X-Rules: : yes\xe9\tyes"), FIN),
    serve(answer("200 O\0K"), FIN),
    serve(answer("200 OK", "X Rules: yes"), FIN),
    serve(answer("200 OK", ": yes"), FIN),
    serve(answer("200 OK", "yes"), FIN),
    serve(answer("200 OK", "X-Rules: a\0b"), FIN),
)
add(
    "R74-lower",
    ((HEAD_END, CONTINUE, Wait(b"hello"), posted()),),
    ((HEAD_END, Wait(b"hello"), posted()),),
    ((HEAD_END, CONTINUE, Wait(b"hello"), FIN),),
)
add("R74-mixed", ((HEAD_END, bad(417), FIN),), ((HEAD_END, CONTINUE, Wait(b"hello"), FIN),))
add(
    "R75",
    ((HEAD_END, Wait(b"hello"), posted(), FIN),),
    ((HEAD_END, CONTINUE, Wait(b"hello"), posted(), FIN),),
    ((HEAD_END, FIN),),
)
add("R76", serve(bad(417), FIN), REFUSED, serve(posted(b"")))
SWITCH = bare("101 Switching Protocols", "Connection: upgrade", "Upgrade: h2c")
add("R78-unknown R78-old", TAKEN, serve(SWITCH), REFUSED)
add(
    "R79",
    serve(bad(405), FIN),
    serve(answer("200 OK", "Content-Type: message/http", body=b"TRACE /echo HTTP/1.1\r\n\r\n")),
)
add("R85-v1", REFUSED, TAKEN_AND_CLOSED, LEFT_OPEN)
add("R85-v2", REFUSED, TAKEN_AND_CLOSED, serve(bad() + echo(), FIN))
