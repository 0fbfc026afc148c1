"""The rules of RFC 9110 and RFC 9112 that can be seen from outside, R1 to R85."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.http1 import (
    chunked,
    connection,
    expect,
    fields,
    framing,
    line,
    responses,
    target,
    version,
)
from wsgi_matrix.suites.conformance.rule import Rule, Unseen


def _number(rule: Rule) -> int:
    return int(rule.id.partition("-")[0][1:])


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *line.RULES,
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
ROWS = 85
UNSEEN = (
    Unseen(
        "R77",
        Level.MUST,
        "RFC 9110 section 15.2",
        "an app has no standard way to send an interim response: PEP 3333 knows none",
    ),
    Unseen(
        "R80",
        Level.SHOULD,
        "RFC 9112 section 9.5",
        "the suite slow_clients waits for the timeouts of servers",
    ),
)
"""Rows without a rule here."""
