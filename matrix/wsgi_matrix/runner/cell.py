"""The life of one cell: opened, probed, stopped, judged."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from wsgi_matrix.engines.api import Engine, Running
from wsgi_matrix.errors import CellError, NotHere, SetupError
from wsgi_matrix.model import outcomes
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
    """Open ``cell``, probe it, stop it, judge it. Never raises for what a cell does.

    ``waits`` is called, from any thread, if all that is left to do in it is to wait.
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
    # A defect of ours in one cell must not take the results of the others along; it is red.
    except Exception as problem:
        return CellResult(
            cell=cell,
            outcome=Outcome.ERROR,
            checks=judge.not_judged(Outcome.ERROR, _told(problem, engine), suite.cases),
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
        outcome=outcomes.overall(checks),
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
    """What the probe brought back, and the memory that it left the server with."""
    around = cell.app.surroundings
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
            wanted=(around.ready_request, around.ready_status) if around.ready_path else None,
            waits=waits,
        )
    )
    return running.memory(), Evidence(
        cell=cell,
        framework_version=running.framework_version,
        observed=observed,
        exchanges={
            **dict(zip(suite.requests, map(tuple, report.exchanges), strict=True)),
            **{name: (found,) for name, found in report.asked.items()},
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
    """``evidence`` with the scenarios that are missing in it, because one before ended the server.

    They run one by one with a new server, and with another one if that ends too.
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


def _told(problem: Exception, engine: Engine) -> str:
    """The error with exit status and last log lines, so that nobody has to go and look."""
    if not isinstance(problem, CellError | SetupError):
        if gone := engine.gone():  # whatever that was where it was noticed
            return f"the engine went away: {gone}"
        return "defect of the harness:\n" + "".join(traceback.format_exception(problem))
    text = str(problem)
    status = getattr(problem, "exit_status", None)
    if status is not None and f"exit status {status}" not in text:
        text += f" (exit status {status})"
    log = getattr(problem, "log", "").strip()
    return f"{text}; last log lines:\n{log}" if log else text
