"""Which cell begins next, how many go on at a time, and how an interrupt ends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CellResult

WAITING = 16
"""Cells at a time, beside the jobs, of suites whose cells do little but wait for time-outs."""
AWAY = 12
"""Cells at a time that gave their job back: their probes reported that they only wait, for a
time-out of the server's, say. That a cell takes long is no such sign: where it does for want of
processor time, another one makes all of them longer."""
LOOKING = 1.0
"""Seconds that are waited at a time: a signal that comes just before a wait does not end it."""
ABORT_WAIT = 15.0
"""Seconds that killed cells have to end after an interrupt."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A cell as the schedule sees it."""

    cell: Cell
    deadline: float
    """Seconds that it may take."""
    waits: bool = False
    """It does little but wait, and takes no job."""


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
        """``one`` runs a cell, in a thread of its own; ``None``: there is nothing to tell of it. It
        calls its second argument if the cell only waits from now on.

        ``strict``: never more cells at a time than ``jobs``, whether they wait or not: people who
        say how many have cells that share a port, a database, a licence.

        ``abort`` kills the cells that are open, so that their ``one`` ends by itself.
        """
        # What may take long must not be left for the end, when nothing runs beside it any more.
        self.turns = sorted(turns, key=lambda turn: -turn.deadline)
        self.interrupted = threading.Event()
        """Set before cells are killed: what one tells from then on is not of its own doing."""
        self._one = one
        self._abort = abort
        self._jobs = threading.Semaphore(jobs)
        # No `with`: leaving it would wait for every cell, and an interrupt must not wait.
        self._strict = strict
        self._pool = ThreadPoolExecutor(jobs + AWAY, thread_name_prefix="cell")
        self._beside = ThreadPoolExecutor(WAITING, thread_name_prefix="waiting")

    def run(self, results: dict[str, CellResult]) -> None:
        """Run all cells, and put what is found into ``results`` by the ids of cells.

        ``KeyboardInterrupt`` goes on to the caller when no cell does any more; what had ended
        before is in ``results`` then.
        """
        futures: dict[Future[CellResult | None], Cell] = {}
        try:
            for turn in self.turns:
                # Noted first: an interrupt may come before submit() has returned.
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
        """Run ``cell`` in one of the jobs, which it gives back if it only waits."""
        held = threading.Lock()

        def give_back() -> None:
            if held.acquire(blocking=False):
                self._jobs.release()

        self._jobs.acquire()
        try:
            return self._one(cell, _nothing if self._strict else give_back)
        finally:
            give_back()

    def _without(self, cell: Cell) -> CellResult | None:
        """Run ``cell``, which takes no job."""
        return self._one(cell, _nothing)

    def _kill(self, running: Sequence[Future[CellResult | None]]) -> None:
        """Kill what is open until no cell goes on; again and again, for one may just be opening."""
        until = time.monotonic() + ABORT_WAIT
        while running and time.monotonic() < until:
            self._abort()
            running = list(wait(running, timeout=0.2).not_done)


def _nothing() -> None:
    """There is no job to be given back."""


def _fill(
    future: Future[CellResult | None], one: Callable[[Cell], CellResult | None], cell: Cell
) -> None:
    """Run ``cell`` unless it is cancelled, and leave in ``future`` what became of it."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(one(cell))
    except BaseException as problem:
        future.set_exception(problem)
