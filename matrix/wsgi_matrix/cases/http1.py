"""The rules of RFC 9110 and RFC 9112 that can be seen from outside, R1 to R85."""

from __future__ import annotations

from wsgi_matrix.cases.rule import Rule, Try, refused
from wsgi_matrix.cases.steps import answers, end, request, send
from wsgi_matrix.model import Level

RULES: tuple[Rule, ...] = (
    Rule(
        id="R13",
        level=Level.MUST,
        cite="RFC 9112 section 3.2",
        says="a request of HTTP/1.1 without Host is refused",
        tries=(
            Try(
                steps=(send(request(host=None)), answers("GET"), end()),
                accept=refused(400),
            ),
        ),
    ),
)
