"""The rules of RFC 9110 and RFC 9112 that can be observed from outside, R1 to R85."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.http1 import (
    chunked,
    connection,
    expect,
    fields,
    framing,
    request_line,
    responses,
    target,
    version,
)
from wsgi_matrix.suites.conformance.rule import Rule, Unobservable

ROWS = 85


def _number(rule: Rule) -> int:
    return int(rule.alias.partition("-")[0][1:]) if rule.alias else ROWS + 1


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *request_line.RULES,
            *version.RULES,
            *target.RULES,
            *fields.RULES,
            *framing.RULES,
            *chunked.RULES,
            *connection.RULES,
            *responses.RULES,
            *expect.RULES,
        ),
        key=_number,
    )
)
UNOBSERVABLE = (
    Unobservable(
        id="response/interim",
        alias="R77",
        level=Level.MUST,
        cite="RFC 9110 section 15.2",
        title="Interim response from the app",
        why="an app has no standard way to send an interim response: PEP 3333 has none",
    ),
    Unobservable(
        id="connection/timeout",
        alias="R80",
        level=Level.SHOULD,
        cite="RFC 9112 section 9.5",
        title="Timeout of an idle connection",
        why="the suite slow_clients tests it, waiting for the timeouts of servers",
    ),
)
"""Rows without a rule here."""
