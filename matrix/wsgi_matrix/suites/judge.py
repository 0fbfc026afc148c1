"""Checks the evidence of one cell by the cases of its suite."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from wsgi_matrix.http.response import split
from wsgi_matrix.model import mismatch
from wsgi_matrix.model.outcome_semantics import NOT_JUDGED
from wsgi_matrix.model.results import CaseResult, Level, Outcome
from wsgi_matrix.suites.case import Case, Evidence, Mismatched, Verdict

START = "start"
"""The check that the engine makes: the server started and opened its port."""


def judge(evidence: Evidence, cases: Sequence[Case]) -> tuple[CaseResult, ...]:
    """The results of all ``cases`` for the evidence of a cell that started."""
    results = [CaseResult(id=START, level=Level.MUST, outcome=Outcome.PASS)]
    for case in cases:
        outcome, found = _judged(case, evidence)
        status = _status(case, evidence) if case.request else None
        results.append(_result(case, outcome, found, status))
    return tuple(results)


def _status(case: Case, evidence: Evidence) -> int | None:
    """The status of the complete response that ``case`` is about, if there is one."""
    [name] = case.evidence
    exchange = next(iter(evidence.exchanges.get(name, ())), None)
    if exchange is None or exchange.error:
        return None
    line = split(exchange.response).status_line.split(maxsplit=2)
    return int(line[1]) if len(line) > 1 and line[1].isdigit() else None


def _result(
    case: Case,
    outcome: Outcome,
    found: str | tuple[mismatch.Mismatch, ...],
    status: int | None = None,
) -> CaseResult:
    mismatches = () if isinstance(found, str) else found
    return CaseResult(
        id=case.id,
        alias=case.alias,
        level=case.level,
        outcome=outcome,
        detail=found if isinstance(found, str) else mismatch.summary(found),
        mismatches=mismatches,
        title=case.title,
        says=case.says,
        cite=case.cite,
        evidence=case.evidence,
        request=case.request,
        status=status,
        recorded=case.recorded,
    )


def _judged(case: Case, evidence: Evidence) -> Verdict | Mismatched:
    """The case's verdict; an error if it raises, so that other cases are not affected."""
    try:
        return case.judge(evidence)
    except Exception:
        return Outcome.ERROR, "internal error in the check:\n" + traceback.format_exc()


def not_judged(outcome: Outcome, why: str, cases: Sequence[Case]) -> tuple[CaseResult, ...]:
    """The results for a cell that did not start (``error``) or was skipped (``skip``)."""
    start = CaseResult(id=START, level=Level.MUST, outcome=outcome, detail=why)
    return (
        start,
        *(_result(case, Outcome.SKIP, NOT_JUDGED) for case in cases),
    )
