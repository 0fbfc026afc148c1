"""The life of one cell: opened, probed, stopped, checked."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from wsgi_matrix.engines.api import Engine, Running
from wsgi_matrix.errors import CellError, NotHere, SetupError
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Settings
from wsgi_matrix.model.results import CellResult, Image, Observed, Outcome
from wsgi_matrix.probe.protocol import Job
from wsgi_matrix.runner.host_load import Meanwhile
from wsgi_matrix.suites import judge
from wsgi_matrix.suites.api import Suite
from wsgi_matrix.suites.case import Evidence


def run_cell(
    engine: Engine,
    cell: Cell,
    settings: Settings,
    suite: Suite,
    waits: Callable[[], None] = lambda: None,
) -> CellResult:
    """Open, probe, stop and check ``cell``. Never raises for what a cell does.

    ``waits`` is called, from any thread, when the cell only waits from then on.
    """
    suite = suite.of(cell)
    reason = engine.skip_reason(cell) or suite.skip_reason(cell)
    if reason:
        return _skipped(cell, reason, suite)
    started, meanwhile = time.monotonic(), Meanwhile()
    image: Image | None = None
    observed: Observed | None = None
    version = ""
    waited = 0.0
    try:
        with engine.open(cell) as running:
            image, version = running.image, running.framework_version
            observed = running.observed()
            memory, evidence = _gather(running, cell, observed, settings, suite, waits)
            waited = running.engine_seconds
        evidence = _run_missing(engine, cell, evidence, settings, suite)
    except NotHere as reason:
        return _skipped(cell, str(reason), suite)
    # A defect of wsgi-matrix in one cell must not lose the results of the others; it is an error.
    except Exception as problem:
        return CellResult(
            cell=cell,
            outcome=Outcome.ERROR,
            checks=judge.not_judged(Outcome.ERROR, _explained(problem, engine), suite.cases),
            seconds=time.monotonic() - started,
            image=image,
            framework_version=version,
            observed=observed,
            log=getattr(problem, "log", ""),
            load=meanwhile.load(),
        )
    checks = judge.judge(evidence, suite.cases)
    return CellResult(
        cell=cell,
        outcome=outcome_semantics.overall(checks),
        checks=checks,
        seconds=time.monotonic() - started,
        image=image,
        framework_version=version,
        observed=observed,
        exchanges={name: found[0] for name, found in evidence.exchanges.items() if found},
        transcripts=dict(evidence.transcripts),
        ready_seconds=evidence.ready_seconds,
        memory=memory,
        engine_seconds=waited,
        log=evidence.stopped.log,
        load=meanwhile.load(),
    )


def _skipped(cell: Cell, reason: str, suite: Suite) -> CellResult:
    return CellResult(
        cell=cell,
        outcome=Outcome.SKIP,
        checks=judge.not_judged(Outcome.SKIP, reason, suite.cases),
        seconds=0.0,
    )


def _gather(
    running: Running,
    cell: Cell,
    observed: Observed,
    settings: Settings,
    suite: Suite,
    waits: Callable[[], None],
) -> tuple[int | None, Evidence]:
    """The probe's report, and the server's memory after it."""
    needs = cell.app.needs
    report = running.probe(
        Job(
            requests=tuple(suite.requests.values()),
            repeat=suite.repeat or settings.repeat,
            clients=cell.limits.clients if suite.burst else 0,
            rounds=cell.limits.rounds,
            deadline=suite.deadline or settings.deadline,
            patience=suite.patience,
            scenarios=suite.scenarios,
            sessions=suite.sessions,
            largest=suite.largest,
            wanted=(needs.ready_request, needs.ready_status) if needs.ready_path else None,
            waits=waits,
        )
    )
    return running.memory(), Evidence(
        cell=cell,
        framework_version=running.framework_version,
        observed=observed,
        exchanges={
            **dict(zip(suite.requests, map(tuple, report.exchanges), strict=True)),
            **{name: (found,) for name, found in report.session_exchanges.items()},
        },
        transcripts=report.transcripts,
        burst=report.burst,
        ready_seconds=max(0.0, report.ready_at - running.started()),
        zombies=running.zombies(),
        stopped=running.stop(settings.grace),
    )


def _run_missing(
    engine: Engine, cell: Cell, evidence: Evidence, settings: Settings, suite: Suite
) -> Evidence:
    """``evidence`` with the scenarios that are missing because an earlier one ended the server.

    They run one by one with a new server, which is replaced if it ends too.
    """
    transcripts = dict(evidence.transcripts)
    while left := [scenario for scenario in suite.scenarios if scenario.name not in transcripts]:
        with engine.open(cell) as running:
            job = Job(scenarios=left, parallel=1, deadline=suite.deadline or settings.deadline)
            found = running.probe(job).transcripts
        if not found:
            break
        transcripts |= found
    return replace(evidence, transcripts=transcripts)


def _explained(problem: Exception, engine: Engine) -> str:
    """The error with exit status and last log lines, so that nobody needs to look them up."""
    if not isinstance(problem, CellError | SetupError):
        if gone := engine.gone():  # whichever error this caused
            return f"the engine went away: {gone}"
        return "internal error in wsgi-matrix:\n" + "".join(traceback.format_exception(problem))
    text = str(problem)
    status = getattr(problem, "exit_status", None)
    if status is not None and f"exit status {status}" not in text:
        text += f" (exit status {status})"
    log = getattr(problem, "log", "").strip()
    return f"{text}; last log lines:\n{log}" if log else text
