"""Schedules cells: which starts next, how many run in parallel, and how an interrupt ends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CellResult

WAITING = 16
"""Parallel cells, in addition to the jobs, of suites whose cells mostly wait for timeouts."""
AWAY = 12
"""Parallel cells that have released their job, because their probes reported that they only wait,
for example for a timeout of the server. That a cell takes long is not enough: for lack of processor
time, another cell would slow down all of them."""
LOOKING = 1.0
"""Seconds of one wait, since a signal that arrives just before a wait does not interrupt it."""
ABORT_WAIT = 15.0
"""Seconds that killed cells have to finish after an interrupt."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A cell and its scheduling properties."""

    cell: Cell
    deadline: float
    """Its deadline in seconds."""
    waits: bool = False
    """Whether it mostly waits, and takes no job."""


class Schedule:
    """The cells of one run. Use once: :meth:`run`."""

    def __init__(
        self,
        turns: Sequence[Turn],
        jobs: int,
        one: Callable[[Cell, Callable[[], None]], CellResult | None],
        abort: Callable[[], None],
        *,
        strict: bool = False,
    ) -> None:
        """``one`` runs a cell, in its own thread; ``None``: there is no result. It calls its second
        argument if the cell only waits from then on.

        ``strict``: never run more cells in parallel than ``jobs``, even if they only wait: users
        who set a number may have cells that share a port, a database or a licence.
        ``abort`` kills the open cells, so that their ``one`` returns.
        """
        # Long cells start first, so that they do not run alone at the end.
        self.turns = sorted(turns, key=lambda turn: -turn.deadline)
        self.interrupted = threading.Event()
        """Set before cells are killed: their results are invalid from then on."""
        self._one = one
        self._abort = abort
        self._jobs = threading.Semaphore(jobs)
        # No `with`, because its exit would wait for every cell, even after an interrupt.
        self._strict = strict
        self._pool = ThreadPoolExecutor(jobs + AWAY, thread_name_prefix="cell")
        self._beside = ThreadPoolExecutor(WAITING, thread_name_prefix="waiting")

    def run(self, results: dict[str, CellResult]) -> None:
        """Run all cells, and add their results to ``results`` by the ids of cells.

        ``KeyboardInterrupt`` is raised to the caller when no cell is running any more; results of
        cells that finished before are in ``results``.
        """
        futures: dict[Future[CellResult | None], Cell] = {}
        try:
            for turn in self.turns:
                # Recorded first, since an interrupt may arrive before submit() has returned.
                future: Future[CellResult | None] = Future()
                futures[future] = turn.cell
                beside = turn.waits and not self._strict
                pool = self._beside if beside else self._pool
                pool.submit(_fill, future, self._without if beside else self._in_job, turn.cell)
            for future, cell in futures.items():
                while not future.done():
                    wait([future], timeout=LOOKING)
                result = future.result()
                if result is not None:
                    results[cell.id] = result
        except KeyboardInterrupt:
            self.interrupted.set()
            self._begin_no_more()
            self._kill([each for each in futures if not each.cancel()])
            for future, cell in futures.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    result = future.result()
                    if result is not None:
                        results[cell.id] = result
            raise
        finally:
            self._begin_no_more()

    def _begin_no_more(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._beside.shutdown(wait=False, cancel_futures=True)

    def _in_job(self, cell: Cell) -> CellResult | None:
        """Run ``cell`` in one of the jobs, which it releases if it only waits."""
        held = threading.Lock()

        def release() -> None:
            if held.acquire(blocking=False):
                self._jobs.release()

        self._jobs.acquire()
        try:
            return self._one(cell, _nothing if self._strict else release)
        finally:
            release()

    def _without(self, cell: Cell) -> CellResult | None:
        """Run ``cell``, which takes no job."""
        return self._one(cell, _nothing)

    def _kill(self, running: Sequence[Future[CellResult | None]]) -> None:
        """Kill open cells until none is running; repeatedly, since one may just be opening."""
        until = time.monotonic() + ABORT_WAIT
        while running and time.monotonic() < until:
            self._abort()
            running = list(wait(running, timeout=0.2).not_done)


def _nothing() -> None:
    """Release nothing: the cell has no job."""


def _fill(
    future: Future[CellResult | None], one: Callable[[Cell], CellResult | None], cell: Cell
) -> None:
    """Run ``cell`` unless it is cancelled, and set the result of ``future``."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(one(cell))
    except BaseException as problem:
        future.set_exception(problem)
