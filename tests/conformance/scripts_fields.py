"""Servers that keep, and that break, the rules of the fields of a request."""

from __future__ import annotations

from tests.conformance.answered import REFUSED, SILENT, TAKEN, Scripts, bad, echo, serve
from tests.conformance.scripted import FIN, Script

SCRIPTS = Scripts()
GREEN, RED, add = SCRIPTS.green, SCRIPTS.red, SCRIPTS.add


def with_a(value: str) -> tuple[Script, ...]:
    """A server that calls the app with this X-A."""
    return serve(echo(headers={"HTTP_X_A": value}))


add("R24-space R24-tab", REFUSED, with_a("b"), SILENT, TAKEN)
add("R25-white R25-none", with_a("b"), with_a("\t b"), with_a("b \t"), TAKEN)
add("R25-other", with_a("\xa0b\x85"), with_a("b"), with_a(""))
add("R26-space R26-tab", with_a("a  b"), with_a("a\r\n b"), with_a("ab"), with_a("b"))
add("R27-empty R27-bracket R27-space R27-no-colon", REFUSED, TAKEN, with_a("a"), SILENT)
add("R28-nul", with_a("a b"), with_a("a\0b"), with_a("a"))
add("R28-cr", with_a("a b"), with_a("a\rb"), with_a("a"))
add("R29", with_a("a\x01b"), with_a("ab"), TAKEN)
add("R30", with_a("a\xc3\xa9\xffb"), with_a(""), with_a("a\xe9b"), REFUSED)
add("R31", with_a("a, b"), with_a("b"), with_a("ab"), with_a("b, a"))
add(
    "R32",
    serve(echo(headers={"CONTENT_TYPE": "b/b"})),
    serve(echo(headers={"CONTENT_TYPE": "a/a, b/b"})),
)
add("R33-many", serve(bad(431), FIN), SILENT, TAKEN, serve(bad(500), FIN))
add("R33-large", serve(bad(431), FIN), SILENT, with_a("a" * 8190), serve(bad(500), FIN))
add("R81-before R81-behind", with_a("a"), with_a("b"), with_a("a,b"), with_a("b,a"))
add("R81-length", TAKEN, serve(echo(headers={"CONTENT_LENGTH": "5"})))
add("R82", TAKEN, serve(echo(headers={"HTTP_PROXY": "http://evil.example"})))
