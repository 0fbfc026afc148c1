"""Runs the reference a second time: the app itself changes whatever differs then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.model.http_session import Ask
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.model.outcome_semantics import differs, held, overall, ran
from wsgi_matrix.model.results import CaseResult, CellResult, Outcome, Run
from wsgi_matrix.runner.cell import run_cell
from wsgi_matrix.suites.api import Suite
from wsgi_matrix.suites.traffic import dynamic_variable_masking, propose
from wsgi_matrix.suites.traffic.ignore import Ignore
from wsgi_matrix.suites.traffic.settings import of
from wsgi_matrix.suites.traffic.suite import SAME, Judgement, judgement, verdict

BY_ITSELF = "the same, except for values that the app changes by itself"
UNSETTLED = "the app changes its content by itself, in a way that no --ignore can match"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs between two runs of the same cell."""

    ignores: tuple[Ignore, ...] = ()
    """What to ignore."""
    unsettled: tuple[str, ...] = ()
    """Names of requests whose responses differ whatever is ignored."""

    def __bool__(self) -> bool:
        return bool(self.ignores or self.unsettled)


def changes(engine: Engine, config: Config, suite: Suite, done: Run) -> Changes:
    """Run the reference of ``done`` again if that can explain anything.

    That is if cells differ, or if there is only one, with nothing to compare it with.
    """
    there = [each for each in done.cells if ran(each.outcome)]
    differ = any(differs(check.outcome) for each in there for check in each.checks)
    if done.partial or not there or not there[0].exchanges or not (differ or len(there) == 1):
        return Changes()
    again = run_cell(engine, there[0].cell, config.settings, suite)
    values = [value for session in suite.sessions for value in session.generated]
    return between(there[0], again, _asks(suite), judgement(of(config)), values)


def between(
    one: CellResult,
    two: CellResult,
    asks: Sequence[Ask],
    by: Judgement,
    values: Sequence[str] = (),
) -> Changes:
    """What differs between two results of the same cell. ``values``: generated for this run."""
    found: dict[Ignore, None] = {}
    pairs = []
    for ask in asks:
        first, second = one.exchanges.get(ask.name), two.exchanges.get(ask.name)
        if first is None or second is None or first.error or second.error:
            continue
        a, b = by.answer(ask, first), by.answer(ask, second)
        pairs.append((ask, a, b))
        proposed = propose.propose(
            dynamic_variable_masking.masked(a, values), dynamic_variable_masking.masked(b, values)
        )
        found |= dict.fromkeys(map(dynamic_variable_masking.unmasked, proposed))
    ignores = tuple(found)
    unsettled = [ask.name for ask, a, b in pairs if not propose.settled(ask, a, b, ignores)]
    return Changes(ignores=ignores, unsettled=tuple(unsettled))


def without(
    done: Run, found: Changes, config: Config, suite: Suite, *, ignored: bool = False
) -> Run:
    """``done`` with its differences checked again, ignoring what the app changes by itself.

    A comparison that is the same then is a known difference: ``xfail``, or with ``ignored``
    (``--ignore auto``) a pass. If nothing can be ignored, content is not compared at all.
    """
    if not found:
        return done
    by = judgement(of(config))
    wider = replace(by, ignores=(*by.ignores, *found.ignores))
    asks = {ask.name + SAME: ask for ask in _asks(suite)}
    reference = next(each for each in done.cells if ran(each.outcome))
    known = Outcome.PASS if ignored else Outcome.XFAIL

    def judged(result: CellResult, check: CaseResult) -> CaseResult:
        if not differs(check.outcome) or check.id not in asks:
            return check
        ask = asks[check.id]
        outcome, detail = verdict(ask, result, reference, wider)
        if held(outcome):
            return replace(check, outcome=known, detail=BY_ITSELF)
        if ask.name in found.unsettled and detail.startswith(f"{ask.title}: content"):
            return replace(check, outcome=Outcome.SKIP, detail=UNSETTLED)
        return replace(check, detail=detail)

    cells = []
    for result in done.cells:
        checks = tuple(judged(result, check) for check in result.checks)
        changed = replace(result, checks=checks, outcome=overall(checks))
        cells.append(result if checks == result.checks else changed)
    return replace(done, cells=tuple(cells), notes=(*done.notes, *_notes(cells, found, ignored)))


def _notes(cells: Sequence[CellResult], found: Changes, ignored: bool) -> Iterator[str]:
    details = [check.detail for cell in cells for check in cell.checks if check.id.endswith(SAME)]
    if count := details.count(BY_ITSELF):
        are = "comparison is" if count == 1 else "comparisons are"
        yield f"changes by itself: {count} {are} the same except for that"
    for each in found.ignores:
        yield f"{'ignored (auto)' if ignored else 'changes by itself'}: {each}"


def _asks(suite: Suite) -> list[Ask]:
    return [ask for session in suite.sessions for ask in session.asks]
