"""Servers that keep, and that break, the rules of the request line, its target and Host."""

from __future__ import annotations

from wsgi_matrix.suites.conformance.http1.line import AT_ONCE

from tests.conformance.answered import (
    CLOSE,
    HEAD_END,
    LEFT_OPEN,
    REFUSED,
    SILENT,
    TAKEN,
    TAKEN_AND_CLOSED,
    Scripts,
    answer,
    bad,
    echo,
    serve,
)
from tests.conformance.scripted import FIN, HANG, Pause

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

add("R1", TAKEN, REFUSED, SILENT)
add("R2-head R2-line", TAKEN, serve(HANG), serve(Pause(AT_ONCE + 0.2), FIN))
add("R3-line R3-name", REFUSED, serve(echo(headers={"HTTP_X_A": "b"})), TAKEN)
add("R3-value", serve(echo(headers={"HTTP_X_A": "a b"})), serve(echo(headers={"HTTP_X_A": "a\rb"})))
add("R4-space R4-tab", TAKEN, serve(echo(headers={"HTTP_X_A": "b"})))
add("R5-method", REFUSED, serve(echo("G\xc9T")), SILENT)
add("R5-name", REFUSED, serve(echo(headers={"HTTP_X_\xc9": "b"})), SILENT)
WHOLE = {"query": "q=1", "headers": {"HTTP_X_ONE": "ab"}}
add(
    "R5-cut-method R5-cut-target R5-cut-target-end R5-cut-version R5-cut-line-end R5-cut-name"
    " R5-cut-value R5-cut-head-end",
    ((HEAD_END, echo(**WHOLE)),),
    REFUSED,
    ((HEAD_END, echo(**WHOLE | {"query": ""})),),
    ((HEAD_END, echo(**WHOLE | {"headers": {"HTTP_X_ONE": "a"}})),),
)
add(
    "R6-spaces R6-tab R6-late R6-behind",
    TAKEN,
    serve(echo(path=" /echo")),
    serve(b"/echo 400 Bad Request\r\n\r\n", FIN),
)
add("R7-word", REFUSED, TAKEN_AND_CLOSED, LEFT_OPEN, SILENT)
add("R7-words R7-version R7-controls", REFUSED, TAKEN_AND_CLOSED, SILENT)
add("R8", serve(bad(414), FIN), REFUSED, SILENT, serve(echo(query="aaa")))
add(
    "R8-8000",
    serve(echo(query="a" * (8000 - len("GET /echo? HTTP/1.1")))),
    serve(bad(414), FIN),
    serve(echo(query="a")),
)
add("R9", serve(echo("get")), TAKEN)
add("R9-token-bracket R9-token-at", REFUSED, serve(echo("G(T")), SILENT)
add("R10", serve(echo("FROB")), REFUSED, TAKEN)
add(
    "R11-space R11-control R11-delete R11-nul",
    REFUSED,
    serve(echo(path="/echo/a")),
    serve(bad(500), FIN),
)
add("R12", serve(echo(query="a")), serve(echo(query="a#b")))
add("R13", REFUSED, TAKEN, serve(bad(404), FIN))
add("R14-other R14-same", LEFT_OPEN, TAKEN, serve(echo(headers={"HTTP_HOST": "localhost,b"})))
add(
    "R15-space R15-slash R15-user R15-bracket R15-port",
    REFUSED,
    serve(echo(headers={"HTTP_HOST": "a b"})),
    SILENT,
)
add("R16", TAKEN, REFUSED, serve(echo(path="http://localhost/echo")))
add(
    "R17",
    serve(echo(headers={"HTTP_HOST": "other.example"})),
    TAKEN,
    serve(echo(headers={"HTTP_HOST": "localhost,other.example"})),
)
add(
    "R18",
    serve(bad(501), FIN),
    serve(answer(body=b"hi") + echo(fields=(CLOSE,)), FIN),
)
add("R19", serve(echo("OPTIONS", "*")), REFUSED, serve(echo("OPTIONS", "/*")), SILENT)
add("R19-get", REFUSED, serve(echo(path="*")))
add("R20-case R20-digits R20-protocol", REFUSED, TAKEN, SILENT)
add("R21", TAKEN, serve(answer(version="HTTP/1.2")), serve(answer(version="HTTP/2.0")))
add("R21-highest", TAKEN, serve(answer(version="HTTP/1.0"), FIN))
add(
    "R21-highest-minor",
    TAKEN,
    serve(answer(version="HTTP/1.0"), FIN),
    serve(answer(version="HTTP/1.2")),
)
add("R22-2 R22-3", serve(bad(505), FIN), TAKEN)
add("R23", REFUSED, TAKEN_AND_CLOSED, serve(b"content alone", FIN))
add(
    "R83-slashes",
    serve(echo(path="//evil/echo")),
    serve(echo(path="/evil/echo")),
    serve(echo(path="/echo")),
)
add("R83-dots", serve(echo(path="/echo/../a")), serve(echo(path="/a")))
add("R83-nul", serve(echo(path="/echo/\0")), serve(echo(path="/echo/")), SILENT)
add("R83-percent", serve(echo(path="/echo/%zz")), serve(echo(path="/echo/zz")), SILENT)
