"""Servers that meet, and that break, the rules of the request line, its target and Host."""

from __future__ import annotations

from wsgi_matrix.suites.conformance.http1.request_line import AT_ONCE

from tests.conformance.responses import (
    CLOSE,
    HEAD_END,
    LEFT_OPEN,
    REFUSED,
    SILENT,
    TAKEN,
    TAKEN_AND_CLOSED,
    Scripts,
    bad,
    echo,
    response,
    serve,
)
from tests.conformance.scripted import FIN, HANG, Pause

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add

add("request-line/empty-line-before", TAKEN, REFUSED, SILENT)
add("head/bare-lf: head line", TAKEN, serve(HANG), serve(Pause(AT_ONCE + 0.2), FIN))
add("head/bare-cr: line name", REFUSED, serve(echo(headers={"HTTP_X_A": "b"})), TAKEN)
add(
    "head/bare-cr: value",
    serve(echo(headers={"HTTP_X_A": "a b"})),
    serve(echo(headers={"HTTP_X_A": "a\rb"})),
)
add("head/whitespace-before-first-field: space tab", TAKEN, serve(echo(headers={"HTTP_X_A": "b"})))
add("head/non-ascii-name: method", REFUSED, serve(echo("G\xc9T")), SILENT)
add("head/non-ascii-name: name", REFUSED, serve(echo(headers={"HTTP_X_\xc9": "b"})), SILENT)
WHOLE = {"query": "q=1", "headers": {"HTTP_X_ONE": "ab"}}
add(
    "head/split-across-segments: method target target-end version line-end name value head-end",
    ((HEAD_END, echo(**WHOLE)),),
    REFUSED,
    ((HEAD_END, echo(**WHOLE | {"query": ""})),),
    ((HEAD_END, echo(**WHOLE | {"headers": {"HTTP_X_ONE": "a"}})),),
)
add(
    "request-line/whitespace: spaces tab late behind",
    TAKEN,
    serve(echo(path=" /echo")),
    serve(b"/echo 400 Bad Request\r\n\r\n", FIN),
)
add("request-line/malformed: word", REFUSED, TAKEN_AND_CLOSED, LEFT_OPEN, SILENT)
add("request-line/malformed: words version controls", REFUSED, TAKEN_AND_CLOSED, SILENT)
add("request-line/target-too-long", serve(bad(414), FIN), REFUSED, SILENT, serve(echo(query="aaa")))
add(
    "request-line/8000-octets",
    serve(echo(query="a" * (8000 - len("GET /echo? HTTP/1.1")))),
    serve(bad(414), FIN),
    serve(echo(query="a")),
)
add("method/case-sensitive", serve(echo("get")), TAKEN)
add("method/not-a-token: bracket at", REFUSED, serve(echo("G(T")), SILENT)
add("method/unknown", serve(echo("FROB")), REFUSED, TAKEN)
add(
    "target/whitespace-and-controls: space control delete nul",
    REFUSED,
    serve(echo(path="/echo/a")),
    serve(bad(500), FIN),
)
add("target/fragment", serve(echo(query="a")), serve(echo(query="a#b")))
add("host/missing", REFUSED, TAKEN, serve(bad(404), FIN))
add(
    "host/repeated: other same", LEFT_OPEN, TAKEN, serve(echo(headers={"HTTP_HOST": "localhost,b"}))
)
add(
    "host/invalid: space slash user bracket port",
    REFUSED,
    serve(echo(headers={"HTTP_HOST": "a b"})),
    SILENT,
)
add("target/absolute-form", TAKEN, REFUSED, serve(echo(path="http://localhost/echo")))
add(
    "target/absolute-form-replaces-host",
    serve(echo(headers={"HTTP_HOST": "other.example"})),
    TAKEN,
    serve(echo(headers={"HTTP_HOST": "localhost,other.example"})),
)
add(
    "method/connect",
    serve(bad(501), FIN),
    serve(response(body=b"hi") + echo(fields=(CLOSE,)), FIN),
)
add(
    "target/asterisk-of-options",
    serve(echo("OPTIONS", "*")),
    REFUSED,
    serve(echo("OPTIONS", "/*")),
    SILENT,
)
add("target/asterisk-of-another-method", REFUSED, serve(echo(path="*")))
add("version/malformed: case digits protocol", REFUSED, TAKEN, SILENT)
add(
    "version/not-echoed",
    TAKEN,
    serve(response(version="HTTP/1.2")),
    serve(response(version="HTTP/2.0")),
)
add("version/highest", TAKEN, serve(response(version="HTTP/1.0"), FIN))
add(
    "version/highest: minor",
    TAKEN,
    serve(response(version="HTTP/1.0"), FIN),
    serve(response(version="HTTP/1.2")),
)
add("version/other-major: 2 3", serve(bad(505), FIN), TAKEN)
add("version/http09", REFUSED, TAKEN_AND_CLOSED, serve(b"content alone", FIN))
add(
    "target/path-unchanged: slashes",
    serve(echo(path="//evil/echo")),
    serve(echo(path="/evil/echo")),
    serve(echo(path="/echo")),
)
add("target/path-unchanged: dots", serve(echo(path="/echo/../a")), serve(echo(path="/a")))
add("target/path-unchanged: nul", serve(echo(path="/echo/\0")), serve(echo(path="/echo/")), SILENT)
add(
    "target/path-unchanged: percent",
    serve(echo(path="/echo/%zz")),
    serve(echo(path="/echo/zz")),
    SILENT,
)
