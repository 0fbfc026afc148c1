"""Known quirks: red checks that ``matrix.toml`` expects, each with its reason, strictly.

An entry is a claim about every check that it matches. Where such a check is red, it is shown as
``xfail`` with the reason; where it holds, the quirk is gone and the check fails until the entry is
removed: a list of excuses must not outlive what they excuse.

What a server does by chance, losing a client in some bursts and in others none, is neither the one
nor the other. An entry with ``sometimes`` says so: ``xfail`` then, whatever came of it this time,
and that is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from wsgi_matrix.model.matrix_config import Xfail
from wsgi_matrix.model.outcomes import EXPECTED, held, overall
from wsgi_matrix.model.results import CaseResult, CellResult, Outcome


def apply(
    results: Sequence[CellResult], xfails: Sequence[Xfail], suite: str
) -> tuple[CellResult, ...]:
    """``results`` with expected reds as xfails, and expected reds that did not come as failures."""
    mine = [entry for entry in xfails if entry.suite == suite]
    return tuple(_judged(result, mine) for result in results) if mine else tuple(results)


def _judged(result: CellResult, xfails: Sequence[Xfail]) -> CellResult:
    checks = tuple(_check(result.cell.id, check, xfails) for check in result.checks)
    if checks == result.checks:
        return result
    return replace(result, checks=checks, outcome=overall(checks))


def _check(cell: str, check: CaseResult, xfails: Sequence[Xfail]) -> CaseResult:
    entry = next((entry for entry in xfails if entry.matches(cell, check.id, check.alias)), None)
    if entry is None:
        return check
    if check.outcome in EXPECTED:
        if not re.search(entry.detail, check.explanation()):
            detail = f"expected to say {entry.detail!r} ({entry.reason}): {check.detail}"
            return replace(check, detail=detail)
        detail = f"{entry.reason}\n{check.outcome.value}: {check.detail}"
        return replace(check, outcome=Outcome.XFAIL, detail=detail)
    if held(check.outcome):
        if entry.sometimes:
            detail = f"{entry.reason}\npass: {check.detail or 'this time'}"
            return replace(check, outcome=Outcome.XFAIL, detail=detail)
        detail = f"an [[xfail]] expects this, and it no longer happens; remove it: {entry.reason}"
        return replace(check, outcome=Outcome.FAIL, detail=detail)
    return check
