"""A whole run: prepare, run all cells, measure, compare."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.errors import EngineError, SetupError
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Settings, Xfail
from wsgi_matrix.model.results import CellResult, Partial, Run
from wsgi_matrix.results.cache import Store
from wsgi_matrix.runner import dependency_version_differences, events
from wsgi_matrix.runner.cell import run_cell
from wsgi_matrix.runner.phases import Phases
from wsgi_matrix.runner.schedule import Schedule, Turn
from wsgi_matrix.suites import xfail
from wsgi_matrix.suites.api import Suite


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


class Runner:
    """One run. Use once: :meth:`run`."""

    def __init__(
        self,
        cells: Sequence[Cell],
        engine: Engine,
        settings: Settings,
        *,
        suites: Mapping[str, Suite],
        known: Sequence[Xfail] = (),
        jobs: int | None = None,
        handlers: Sequence[events.Handler] = (),
        before: Callable[[Engine, Sequence[Cell]], None] | None = None,
        exitfirst: bool = False,
        keep: str = "",
        store: Store | None = None,
        reuse: bool = False,
    ) -> None:
        """``suites``: by name, those of all cells.

        ``jobs``: maximum of parallel cells; ``None``: as many as cores, in addition to cells that
        only wait. ``exitfirst``: start no cell after the first red one. ``keep``: preserve the
        cells that are ``failed``, or ``all``; the engine must be made with ``keep`` too.
        ``store``: saves results, and with ``reuse`` provides those of unchanged cells.

        ``before`` is called after preparation, with the cells that can run; it may raise
        :class:`SetupError` if running them makes no sense.
        """
        self.cells = tuple(cells)
        self.engine = engine
        self.settings = settings
        self.suites = suites
        self.known = known
        self.jobs = jobs or cores()
        self.before = before
        self.exitfirst = exitfirst
        self.keep = keep
        self.store = store
        self.reuse = reuse
        self._phases = Phases(handlers)
        self._schedule = Schedule(
            self._turns(), self.jobs, self._one, engine.abort, strict=jobs is not None
        )
        self._started = ""
        self._enough = Partial.NO
        """Why no further cell starts; those that are running may finish."""

    def run(self) -> Run:
        """Prepare, run and compare all cells.

        Raises :class:`SetupError` if an image or bundle cannot be created, :class:`EngineError` if
        the engine becomes unavailable before the first cell. An interrupt (``KeyboardInterrupt``),
        a later loss of the engine and ``exitfirst`` end the run early; the result is ``partial``.
        """
        started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        self._started = started.replace("+00:00", "Z")
        self._phases.tell(events.RunStarted(self.cells, self.engine.where, self.jobs))
        results: dict[str, CellResult] = {}
        measured: dict[str, float] = {}
        notes: list[str] = []
        try:
            # Cells that cannot run here need no images: the engine only prepares the rest.
            able = [cell for cell in self.cells if not self.engine.skip_reason(cell)]
            if able:
                self._prepare(able)
                notes += dependency_version_differences.notes(self.engine, able)
                if self.before is not None:
                    self._phases.note("loading", "")
                    self.before(self.engine, able)
            with self._phases.within("cells"):
                self._schedule.run(results)
            if self._enough is not Partial.ENGINE:
                measured = self._measure(results)
        except KeyboardInterrupt:
            self._enough = Partial.INTERRUPTED
        finally:
            self._phases.end()
        done = [results[cell.id] for cell in self.cells if cell.id in results]
        whole = len(done) == len(self.cells) and self._enough is Partial.FIRST_RED
        run = Run(
            engine=self.engine.name,
            engine_version=self.engine.version,
            where=self.engine.where,
            kernel=f"{platform.system()} {platform.release()}",
            started=self._started,
            seconds=time.monotonic() - clock,
            phases=dict(self._phases.seconds),
            measured=measured,
            cells=self._kept(self._compared(done)),
            suites=tuple(self.suites),
            notes=(*notes, *(note for suite in self.suites.values() for note in suite.notes)),
            partial=Partial.NO if whole else self._enough,
        )
        self._phases.tell(events.RunDone(run))
        return run

    def _compared(self, done: Sequence[CellResult]) -> tuple[CellResult, ...]:
        """All results, compared within each suite, with known failures taken into account."""
        return tuple(
            result
            for name, suite in self.suites.items()
            for result in xfail.apply(
                suite.compare([each for each in done if each.cell.suite == name]), self.known, name
            )
        )

    def _prepare(self, cells: Sequence[Cell]) -> None:
        try:
            self.engine.prepare(cells, self._phases.note)
        except (OSError, SetupError) as problem:
            if gone := self.engine.gone():
                raise EngineError(f"the engine went away during preparation: {gone}") from problem
            raise

    def _kept(self, results: tuple[CellResult, ...]) -> tuple[CellResult, ...]:
        """``results`` with what was preserved of their cells; all others are removed now.

        This is done last, because only the comparison finds all red cells.
        """
        if not self.keep:
            return results
        wanted = {
            r.cell.id for r in results if self.keep == "all" or r.outcome in outcome_semantics.RED
        }
        kept = self.engine.keep_only(wanted)
        return tuple(replace(r, kept=kept.get(r.cell.id, ())) for r in results)

    def _turns(self) -> list[Turn]:
        """The cells with the scheduling properties of their suites."""
        of_cells = self.settings.deadline
        return [
            Turn(cell=cell, deadline=suite.deadline or of_cells, waits=suite.waits)
            for cell in self.cells
            for suite in (self.suites[cell.suite],)
        ]

    def _one(self, cell: Cell, waits: Callable[[], None]) -> CellResult | None:
        """Run one cell; ``None`` if the run was interrupted meanwhile, so the result is invalid."""
        if self._schedule.interrupted.is_set() or self._enough:
            return None
        self._phases.tell(events.CellStarted(cell))
        suite = self.suites[cell.suite]
        key = self._key(cell, suite)
        result = self.store.find(cell, key) if self.store and key and self.reuse else None
        if result is None:
            result = run_cell(self.engine, cell, self.settings, suite, waits)
            if self._schedule.interrupted.is_set():
                return None
            if outcome_semantics.unjudged(result.outcome) and self.engine.gone():
                self._enough = Partial.ENGINE
            elif self.store and key:
                self.store.put(result, key, self._started)
        if self.exitfirst and result.outcome in outcome_semantics.RED:
            self._enough = self._enough or Partial.FIRST_RED
        self._phases.tell(events.CellDone(result))
        return result

    def _key(self, cell: Cell, suite: Suite) -> str:
        """A digest of what the result of ``cell`` depends on; empty if it cannot run here."""
        if self.store is None or self.engine.skip_reason(cell):
            return ""
        return self.store.key(self.engine, cell, suite, self.settings)

    def _measure(self, results: dict[str, CellResult]) -> dict[str, float]:
        # An app with an environment cannot be imported without it, which is what is measured.
        ran = [
            result
            for result in results.values()
            if outcome_semantics.ran(result.outcome)
            and self.suites[result.cell.suite].baseline
            and not result.reused
        ]
        if not ran:
            return {}
        return {
            "cell": statistics.median(r.seconds for r in ran),
            "engine": statistics.median(r.engine_seconds for r in ran),
            **self.engine.baseline(ran[0].cell),
        }
