"""Servers that meet, and that break, the rules of the fields of a request."""

from __future__ import annotations

from tests.conformance.responses import REFUSED, SILENT, TAKEN, Scripts, bad, echo, serve
from tests.conformance.scripted import FIN, Script

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add


def with_a(value: str) -> tuple[Script, ...]:
    """A server that calls the app with this X-A."""
    return serve(echo(headers={"HTTP_X_A": value}))


add("fields/whitespace-before-colon: space tab", REFUSED, with_a("b"), SILENT, TAKEN)
add(
    "fields/whitespace-around-value: white none", with_a("b"), with_a("\t b"), with_a("b \t"), TAKEN
)
add("fields/whitespace-around-value: other", with_a("\xa0b\x85"), with_a("b"), with_a(""))
add("fields/obs-fold: space tab", with_a("a  b"), with_a("a\r\n b"), with_a("ab"), with_a("b"))
add("fields/name-not-a-token: empty bracket space no-colon", REFUSED, TAKEN, with_a("a"), SILENT)
add("fields/nul-or-cr-in-value: nul", with_a("a b"), with_a("a\0b"), with_a("a"))
add("fields/nul-or-cr-in-value: cr", with_a("a b"), with_a("a\rb"), with_a("a"))
add("fields/other-control-in-value", with_a("a\x01b"), with_a("ab"), TAKEN)
add("fields/obs-text-in-value", with_a("a\xc3\xa9\xffb"), with_a(""), with_a("a\xe9b"), REFUSED)
add("fields/repeated", with_a("a, b"), with_a("b"), with_a("ab"), with_a("b, a"))
add(
    "fields/repeated-content-type",
    serve(echo(headers={"CONTENT_TYPE": "b/b"})),
    serve(echo(headers={"CONTENT_TYPE": "a/a, b/b"})),
)
add("fields/too-large: many", serve(bad(431), FIN), SILENT, TAKEN, serve(bad(500), FIN))
add(
    "fields/too-large: large",
    serve(bad(431), FIN),
    SILENT,
    with_a("a" * 8190),
    serve(bad(500), FIN),
)
add(
    "fields/underscore-in-name: before behind",
    with_a("a"),
    with_a("b"),
    with_a("a,b"),
    with_a("b,a"),
)
add("fields/underscore-in-name: length", TAKEN, serve(echo(headers={"CONTENT_LENGTH": "5"})))
add("fields/proxy", TAKEN, serve(echo(headers={"HTTP_PROXY": "http://evil.example"})))
