"""Runs cells on an engine: bounded parallelism, deadlines, cleanup, typed events."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime

from wsgi_matrix import events, xfails
from wsgi_matrix.cases import Evidence, registry
from wsgi_matrix.config import Settings
from wsgi_matrix.engines import CellError, Engine, EngineError, NotHere, Running, SetupError
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CellResult, Image, Observed, Outcome, Partial, Run
from wsgi_matrix.probe import Job
from wsgi_matrix.reuse import Store
from wsgi_matrix.suites import HELLO, TRAFFIC, Suite

WAITING = 16
"""Cells at a time, beside the jobs, of suites whose cells do little but wait for time-outs."""
LONG = 5.0
"""Seconds after which a cell gives its job to another and goes on beside: its work is done by then,
what takes longer is a server's time-out or the patience of clients."""
OVERDUE = 12
"""Cells at a time that go on so."""
ABORT_WAIT = 15.0
"""Seconds that killed cells have to end after an interrupt."""

RED = frozenset({Outcome.FAIL, Outcome.DIFFER, Outcome.ERROR})
"""Outcomes of cells that are not as expected."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


class Runner:
    """One run. Use once: :meth:`run`."""

    def __init__(
        self,
        cells: Sequence[Cell],
        engine: Engine,
        settings: Settings,
        *,
        suites: Mapping[str, Suite] | None = None,
        known: Sequence[xfails.Xfail] = (),
        jobs: int | None = None,
        handlers: Sequence[events.Handler] = (),
        before: Callable[[Engine, Sequence[Cell]], None] | None = None,
        exitfirst: bool = False,
        keep: str = "",
        store: Store | None = None,
        reuse: bool = False,
    ) -> None:
        """``suites``: by name, each that a cell belongs to; by default ``hello`` alone.

        ``exitfirst``: begin no cell after the first red one. ``keep``: of which cells the engine,
        which was told to keep them, does not remove what is left: ``failed`` or ``all``.
        ``store``: where results are put, and with ``reuse`` taken from for unchanged cells.

        ``before`` is called when all is prepared, with the cells that can run; it may raise
        :class:`SetupError` if it finds that there is no sense in running them.
        """
        self.cells = tuple(cells)
        self.engine = engine
        self.settings = settings
        self.suites = suites or {HELLO: Suite()}
        self.known = known
        self.jobs = jobs or cores()
        self.handlers = handlers
        self.before = before
        self.exitfirst = exitfirst
        self.keep = keep
        self.store = store
        self.reuse = reuse
        self.phases: dict[str, float] = {}
        self._started = ""
        self._phase: tuple[str, float] | None = None
        self._jobs = threading.Semaphore(self.jobs)
        self._telling = threading.RLock()
        self._stopping = threading.Event()
        self._enough = Partial.NO
        """Why no further cell is begun; the ones that run may end."""

    def run(self) -> Run:
        """Prepare, run and compare all cells.

        Raises :class:`SetupError` if an image or bundle cannot be made, :class:`EngineError` if
        the engine goes away before there is a cell. An interrupt (``KeyboardInterrupt``), an engine
        that goes away later and ``exitfirst`` end the run early: the result then says ``partial``.
        """
        started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        self._started = started.replace("+00:00", "Z")
        self._tell(events.RunStarted(self.cells, self.engine.where, self.jobs))
        results: dict[str, CellResult] = {}
        measured: dict[str, float] = {}
        try:
            # Cells that cannot run here need no images: an engine is asked for the rest only.
            able = [cell for cell in self.cells if not self.engine.skip_reason(cell)]
            if able:
                self._prepare(able)
                if self.before is not None:
                    self._note("loading", "")
                    self.before(self.engine, able)
            with self._in_phase("cells"):
                self._run_cells(results)
            if self._enough is not Partial.ENGINE:
                measured = self._measure(results)
        except KeyboardInterrupt:
            self._enough = Partial.INTERRUPTED
        finally:
            self._end_phase()
        done = [results[cell.id] for cell in self.cells if cell.id in results]
        whole = len(done) == len(self.cells) and self._enough is Partial.FIRST_RED
        run = Run(
            engine=self.engine.name,
            engine_version=self.engine.version,
            where=self.engine.where,
            kernel=f"{platform.system()} {platform.release()}",
            started=self._started,
            seconds=time.monotonic() - clock,
            phases=dict(self.phases),
            measured=measured,
            cells=self._kept(self._compared(done)),
            suites=tuple(self.suites),
            notes=tuple(note for suite in self.suites.values() for note in suite.notes),
            partial=Partial.NO if whole else self._enough,
        )
        self._tell(events.RunDone(run))
        return run

    def _compared(self, done: Sequence[CellResult]) -> tuple[CellResult, ...]:
        """All results, compared within each suite, with what is known taken into account."""
        return tuple(
            result
            for name, suite in self.suites.items()
            for result in xfails.apply(
                suite.compare([each for each in done if each.cell.suite == name]), self.known, name
            )
        )

    def _prepare(self, cells: Sequence[Cell]) -> None:
        try:
            self.engine.prepare(cells, self._note)
        except (OSError, SetupError) as problem:
            if gone := self.engine.gone():
                raise EngineError(f"the engine went away while it prepared: {gone}") from problem
            raise

    def _kept(self, results: tuple[CellResult, ...]) -> tuple[CellResult, ...]:
        """``results`` with what was left of their cells; what nobody wants kept is removed now.

        Only now, for it takes the comparison to know every red cell.
        """
        if not self.keep:
            return results
        wanted = {r.cell.id for r in results if self.keep == "all" or r.outcome in RED}
        kept = self.engine.keep_only(wanted)
        return tuple(replace(r, kept=kept.get(r.cell.id, ())) for r in results)

    def _run_cells(self, results: dict[str, CellResult]) -> None:
        # No `with`: leaving it would wait for every cell, and an interrupt must not wait.
        pool = ThreadPoolExecutor(self.jobs + OVERDUE, thread_name_prefix="cell")
        beside = ThreadPoolExecutor(WAITING, thread_name_prefix="waiting")
        futures: dict[Future[CellResult | None], Cell] = {}
        try:
            for cell in self._longest_first():
                if self.suites[cell.suite].waits:
                    futures[beside.submit(self._one, cell)] = cell
                else:
                    futures[pool.submit(self._in_job, cell)] = cell
            for future, cell in futures.items():
                result = future.result()
                if result is not None:
                    results[cell.id] = result
        except KeyboardInterrupt:
            self._stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            beside.shutdown(wait=False, cancel_futures=True)
            self._abort([each for each in futures if not each.cancelled()])
            for future, cell in futures.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    result = future.result()
                    if result is not None:
                        results[cell.id] = result
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            beside.shutdown(wait=False, cancel_futures=True)

    def _longest_first(self) -> list[Cell]:
        """The cells in the order in which they begin: what may take long must not be left for the
        end, when nothing runs beside it any more."""
        of_cells = self.settings.deadline
        return sorted(self.cells, key=lambda x: -(self.suites[x.suite].deadline or of_cells))

    def _in_job(self, cell: Cell) -> CellResult | None:
        """The same as :meth:`_one`, in one of the jobs, which it gives back if it takes long."""
        held = threading.Lock()

        def give_back() -> None:
            if held.acquire(blocking=False):
                self._jobs.release()

        self._jobs.acquire()
        overdue = threading.Timer(LONG, give_back)
        overdue.daemon = True
        overdue.start()
        try:
            return self._one(cell)
        finally:
            overdue.cancel()
            give_back()

    def _abort(self, running: Sequence[Future[CellResult | None]]) -> None:
        """Kill what is open until no cell goes on; again and again, for one may just be opening."""
        until = time.monotonic() + ABORT_WAIT
        while running and time.monotonic() < until:
            self.engine.abort()
            running = list(wait(running, timeout=0.2).not_done)

    def _one(self, cell: Cell) -> CellResult | None:
        """Run one cell; ``None`` if the run was interrupted meanwhile: that tells nothing of it."""
        if self._stopping.is_set() or self._enough:
            return None
        self._tell(events.CellStarted(cell))
        suite = self.suites[cell.suite]
        key = self._key(cell, suite)
        result = self.store.find(cell, key) if self.store and key and self.reuse else None
        if result is None:
            result = run_cell(self.engine, cell, self.settings, suite)
            if self._stopping.is_set():
                return None
            if result.outcome is Outcome.ERROR and self.engine.gone():
                self._enough = Partial.ENGINE
            elif self.store and key:
                self.store.put(result, key, self._started)
        if self.exitfirst and result.outcome in RED:
            self._enough = self._enough or Partial.FIRST_RED
        self._tell(events.CellDone(result))
        return result

    def _key(self, cell: Cell, suite: Suite) -> str:
        """What the result of ``cell`` follows from; empty where it cannot run here."""
        if self.store is None or self.engine.skip_reason(cell):
            return ""
        return self.store.key(self.engine, cell, suite, self.settings)

    def _measure(self, results: dict[str, CellResult]) -> dict[str, float]:
        # An app with surroundings cannot be imported without them, and that is what is measured.
        ran = [
            result
            for result in results.values()
            if result.outcome is not Outcome.SKIP
            and result.cell.suite != TRAFFIC
            and not result.reused
        ]
        if not ran:
            return {}
        return {
            "cell": statistics.median(r.seconds for r in ran),
            "engine": statistics.median(r.engine_seconds for r in ran),
            **self.engine.baseline(ran[0].cell),
        }

    # Phases and events

    def _tell(self, event: events.Event) -> None:
        with self._telling:
            for handler in self.handlers:
                handler(event)

    def _note(self, name: str, detail: str) -> None:
        """Progress of the engine's preparation; another name begins another phase."""
        with self._telling:
            if self._phase is None or self._phase[0] != name:
                self._end_phase()
                self._begin_phase(name)
            if detail:
                self._tell(events.PhaseNote(name, detail))

    def _begin_phase(self, name: str) -> None:
        self._phase = (name, time.monotonic())
        self._tell(events.PhaseStarted(name))

    def _end_phase(self) -> None:
        if self._phase is None:
            return
        name, began = self._phase
        self._phase = None
        # An engine may come back to a phase, say for a second Python: its seconds add up.
        self.phases[name] = self.phases.get(name, 0.0) + time.monotonic() - began
        self._tell(events.PhaseDone(name, self.phases[name]))

    @contextlib.contextmanager
    def _in_phase(self, name: str) -> Iterator[None]:
        self._end_phase()
        self._begin_phase(name)
        try:
            yield
        finally:
            self._end_phase()


def run_cell(
    engine: Engine, cell: Cell, settings: Settings, suite: Suite | None = None
) -> CellResult:
    """Open ``cell``, probe it, stop it, judge it. Never raises for what a cell does."""
    suite = suite or Suite()
    suite = suite.of(cell)
    reason = engine.skip_reason(cell) or suite.skip_reason(cell)
    if reason:
        return _skipped(cell, reason, suite)
    started = time.monotonic()
    image: Image | None = None
    observed: Observed | None = None
    version = ""
    waited = 0.0
    try:
        with engine.open(cell) as running:
            image, version = running.image, running.framework_version
            observed = running.observed()
            memory, evidence = _gather(running, cell, observed, settings, suite)
            waited = running.engine_seconds
        evidence = _had_out(engine, cell, evidence, settings, suite)
    except NotHere as reason:
        return _skipped(cell, str(reason), suite)
    # A defect of ours in one cell must not take the results of the others along; it is red.
    except Exception as problem:
        return CellResult(
            cell=cell,
            outcome=Outcome.ERROR,
            checks=registry.not_judged(Outcome.ERROR, _told(problem), suite.cases),
            seconds=time.monotonic() - started,
            image=image,
            framework_version=version,
            observed=observed,
            log=getattr(problem, "log", ""),
        )
    checks = registry.judge(evidence, suite.cases)
    return CellResult(
        cell=cell,
        outcome=registry.overall(checks),
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
    )


def _skipped(cell: Cell, reason: str, suite: Suite) -> CellResult:
    return CellResult(
        cell=cell,
        outcome=Outcome.SKIP,
        checks=registry.not_judged(Outcome.SKIP, reason, suite.cases),
        seconds=0.0,
    )


def _gather(
    running: Running, cell: Cell, observed: Observed, settings: Settings, suite: Suite
) -> tuple[int | None, Evidence]:
    """What the probe brought back, and the memory that it left the server with."""
    ready = cell.app.surroundings.ready
    report = running.probe(
        Job(
            requests=tuple(suite.requests.values()),
            repeat=suite.repeat or settings.repeat,
            clients=cell.limits.clients if suite.burst else 0,
            rounds=cell.limits.rounds,
            deadline=suite.deadline or settings.deadline,
            patience=suite.patience,
            talks=suite.talks,
            sessions=suite.sessions,
            largest=suite.largest,
            wanted=(ready.request, ready.status) if ready else None,
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


def _had_out(
    engine: Engine, cell: Cell, evidence: Evidence, settings: Settings, suite: Suite
) -> Evidence:
    """``evidence`` with the talks that are missing in it, because one before ended the server.

    They are had one by one with a new server, and with another one if that ends too.
    """
    transcripts = dict(evidence.transcripts)
    while left := [talk for talk in suite.talks if talk.name not in transcripts]:
        with engine.open(cell) as running:
            job = Job(talks=left, parallel=1, deadline=suite.deadline or settings.deadline)
            found = running.probe(job).transcripts
        if not found:
            break
        transcripts |= found
    return replace(evidence, transcripts=transcripts)


def _told(problem: Exception) -> str:
    """The error with exit status and last log lines, so that nobody has to go and look."""
    if not isinstance(problem, CellError | SetupError):
        return "defect of the harness:\n" + "".join(traceback.format_exception(problem))
    text = str(problem)
    status = getattr(problem, "exit_status", None)
    if status is not None and f"exit status {status}" not in text:
        text += f" (exit status {status})"
    log = getattr(problem, "log", "").strip()
    return f"{text}; last log lines:\n{log}" if log else text
