"""Known failures: red checks that ``matrix.toml`` expects, each with its reason, strictly.

An entry is a claim about every check that it matches. A red check is shown as ``xfail`` with the
reason; if it passes, it fails until the entry is removed, so that entries do not outlive the
failures that they allow.

A failure that only occurs sometimes, such as losing a client in some bursts, is neither. An entry
with ``sometimes`` allows it: the check is then ``xfail`` in either case, with the actual outcome in
its detail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from wsgi_matrix.model.matrix_config import Xfail
from wsgi_matrix.model.outcome_semantics import EXPECTED, held, overall
from wsgi_matrix.model.results import CaseResult, CellResult, Outcome


def apply(
    results: Sequence[CellResult], xfails: Sequence[Xfail], suite: str
) -> tuple[CellResult, ...]:
    """``results`` with expected failures as ``xfail``, and those that did not occur as ``fail``."""
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
            detail = f"expected to match {entry.detail!r} ({entry.reason}): {check.detail}"
            return replace(check, detail=detail)
        detail = f"{entry.reason}\n{check.outcome.value}: {check.detail}"
        return replace(check, outcome=Outcome.XFAIL, detail=detail)
    if held(check.outcome):
        if entry.sometimes:
            detail = f"{entry.reason}\npass: {check.detail or 'this time'}"
            return replace(check, outcome=Outcome.XFAIL, detail=detail)
        detail = f"an [[xfail]] expects a failure that no longer occurs; remove it: {entry.reason}"
        return replace(check, outcome=Outcome.FAIL, detail=detail)
    return check
