"""The reference a second time: what is different then, the app changes by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wsgi_matrix.engines import Engine
from wsgi_matrix.model.results import CellResult, Outcome, Run
from wsgi_matrix.runner.cell import run_cell
from wsgi_matrix.settings import Config
from wsgi_matrix.suites import TRAFFIC, Suite
from wsgi_matrix.traffic import propose
from wsgi_matrix.traffic.ignore import Ignore
from wsgi_matrix.traffic.model import Ask
from wsgi_matrix.traffic.suite import Judgement, judgement, verdict


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What two runs of one cell do not have in common."""

    ignores: tuple[Ignore, ...] = ()
    """What to leave out."""
    unsettled: tuple[str, ...] = ()
    """Requests whose answers no option makes the same."""
    beyond: tuple[str, ...] = ()
    """What differs between cells even with that left out: cell, request, and in what."""


def changes(engine: Engine, config: Config, suite: Suite, done: Run) -> Changes:
    """Run the reference of ``done`` again where that can tell something.

    That is where cells differ, or where there is only one, which nothing else was compared with.
    """
    ran = [each for each in done.cells if each.outcome is not Outcome.SKIP]
    differs = any(check.outcome is Outcome.DIFFER for each in ran for check in each.checks)
    if done.partial or not ran or not ran[0].exchanges or not (differs or len(ran) == 1):
        return Changes()
    again = run_cell(engine, ran[0].cell, config.settings, suite)
    asks = [ask for session in suite.sessions for ask in session.asks]
    by = judgement(config.suites[TRAFFIC])
    found = between(ran[0], again, asks, by)
    wider = replace(by, ignores=(*by.ignores, *found.ignores))
    return replace(found, beyond=tuple(_beyond(ran, asks, wider)))


def _beyond(results: Sequence[CellResult], asks: Sequence[Ask], by: Judgement) -> Iterator[str]:
    for result in results[1:]:
        for ask in asks:
            outcome, detail = verdict(ask, result, results[0], by)
            if outcome is Outcome.DIFFER:
                yield f"{result.cell.id} {detail.splitlines()[0]}"


def between(one: CellResult, two: CellResult, asks: Sequence[Ask], by: Judgement) -> Changes:
    """What differs between two results of the same cell."""
    found: dict[Ignore, None] = {}
    pairs = []
    for ask in asks:
        first, second = one.exchanges.get(ask.name), two.exchanges.get(ask.name)
        if first is None or second is None or first.error or second.error:
            continue
        a, b = by.answer(ask, first), by.answer(ask, second)
        pairs.append((ask, a, b))
        found |= dict.fromkeys(propose.propose(a, b))
    ignores = tuple(found)
    unsettled = [ask.title for ask, a, b in pairs if not propose.settled(ask, a, b, ignores)]
    return Changes(ignores=ignores, unsettled=tuple(unsettled))
