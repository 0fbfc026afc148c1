"""The meaning of outcomes: those of checks for a cell, and those of cells for a run.

No other module compares an outcome with a constant; a test enforces that.
"""

from __future__ import annotations

from collections import Counter

from wsgi_matrix.errors import Exit
from wsgi_matrix.model.results import CaseResult, Outcome, Partial, Run

ORDER = (
    Outcome.PASS,
    Outcome.FAIL,
    Outcome.DIFFER,
    Outcome.ERROR,
    Outcome.XFAIL,
    Outcome.SKIP,
)
"""The order in reports."""
RED = frozenset({Outcome.FAIL, Outcome.DIFFER, Outcome.ERROR})
"""Outcomes that are not as expected."""
EXPECTED = frozenset({Outcome.FAIL, Outcome.DIFFER})
"""Outcomes that an ``[[xfail]]`` may allow; an error never is, because it says nothing."""
WORST = (
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.DIFFER,
    Outcome.XFAIL,
    Outcome.PASS,
    Outcome.SKIP,
)
"""The worst first."""
NOT_JUDGED = "the cell was not checked"
"""Detail of the checks of a cell that did not start; its check ``start`` says why."""


def overall(checks: tuple[CaseResult, ...]) -> Outcome:
    """The outcome of a cell: the worst of its checks; ``skip`` only if all were skipped."""
    there = {check.outcome for check in checks}
    return next((outcome for outcome in WORST if outcome in there), Outcome.SKIP)


def ran(outcome: str) -> bool:
    """Whether a cell ran, or a check was made."""
    return outcome != Outcome.SKIP


def held(outcome: str) -> bool:
    """Whether the requirement was met."""
    return outcome == Outcome.PASS


def differs(outcome: str) -> bool:
    """Whether it differs from the reference, but no check failed."""
    return outcome == Outcome.DIFFER


def known(outcome: str) -> bool:
    """Whether it is a known failure."""
    return outcome == Outcome.XFAIL


def unjudged(outcome: str) -> bool:
    """Whether it could not be checked, so that nothing is known."""
    return outcome == Outcome.ERROR


def counts(run: Run) -> dict[str, int]:
    """Cells by outcome, in the order of reports; outcomes that did not occur are left out."""
    found = Counter(result.outcome for result in run.cells)
    return {outcome.value: found[outcome] for outcome in ORDER if found[outcome]}


def exit_code(run: Run) -> Exit:
    """The exit code of a run; see :data:`wsgi_matrix.errors.EXIT_CODES`."""
    there = {result.outcome for result in run.cells}
    if run.partial is Partial.INTERRUPTED:
        return Exit.INTERRUPTED
    if run.partial is Partial.ENGINE:
        return Exit.NO_ENGINE
    if there & {Outcome.FAIL, Outcome.DIFFER}:
        return Exit.FAILED
    if Outcome.ERROR in there:
        return Exit.SETUP
    if there <= {Outcome.SKIP}:
        return Exit.NOTHING_SELECTED
    return Exit.OK


def red(run: Run) -> list[tuple[str, CaseResult]]:
    """Every check that failed, differs or could not be made, with the id of its cell."""
    return [
        (result.cell.id, check)
        for result in run.cells
        for check in result.checks
        if check.outcome in RED
    ]
