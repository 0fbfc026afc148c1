"""The pool of workers: as many as are wanted, and what they need beside them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from onegate.master.child_main import ChildSpec, status_main, worker_main, zygote_main
from onegate.master.generations import Generation
from onegate.master.process_table import Child, Role
from onegate.master.spawner import Spawner
from onegate.master.state import MasterState
from onegate.process.scoreboard import Slot, Total

log = logging.getLogger("onegate.error")

_MAX_SECONDS = 30.0


class Backoff:
    """When to try again what has failed: from 0.2 seconds on each wait is twice as long, up to 30.

    ``until``: monotonic second before which nothing is tried.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self._failures = 0
        self._complaint = ""

    def failed(self, reason: str) -> None:
        """Wait. The ``reason`` is logged, once for a shortage that lasts."""
        self._failures += 1
        wait = min(_MAX_SECONDS, 0.1 * 2 ** min(self._failures, 16))
        self.until = time.monotonic() + wait
        if reason != self._complaint:
            log.error("%s; retrying in %.1f s", reason, wait)
        self._complaint = reason

    def shortage_over(self) -> None:
        """The next shortage is news."""
        self._complaint = ""

    def succeeded(self) -> None:
        """The next wait is a short one."""
        self._failures = 0

    def cut_short(self) -> None:
        """Something has changed: try at once."""
        self.until = 0.0

    @property
    def waits(self) -> bool:
        """Whether it is too early for another try."""
        return time.monotonic() < self.until


class WorkerPool:
    """Keeps the number of workers of the present generation at ``target``."""

    def __init__(self, state: MasterState) -> None:
        self._state = state
        self._spawner = Spawner(state)
        self._backoff = Backoff()
        self.reset_target()

    # ── how many ─────────────────────────────────────────────────────────────────────────────

    @property
    def target(self) -> int:
        """How many workers are wanted. Hooks see it."""
        return self._state.generations.server.num_workers

    def reset_target(self) -> None:
        """Want as many as the settings of the present generation say."""
        self._aim_at(self._state.generations.present.settings.workers)

    def resize(self, workers: int) -> None:
        """Want so many from now on."""
        proven = self._state.generations.proven
        before = self.target
        self._aim_at(workers)
        self._state.generations.call("nworkers_changed", workers, before, of=proven)
        for child in self._state.processes.workers(proven.number)[workers:]:
            child.terminate(self._state.graceful_timeout)
        self._end_all_old_if_complete()

    def _aim_at(self, workers: int) -> None:
        self._state.generations.want(workers)
        self._state.scoreboard.totals[Total.WANTED] = workers

    # ── making them ──────────────────────────────────────────────────────────────────────────

    def fill(self) -> None:
        """Make what is missing, unless it is too early to try again."""
        for generation in reversed(self._state.generations.known):
            if self._backoff.waits:
                return
            self._fill(generation)

    def _fill(self, generation: Generation) -> None:
        settings = generation.settings
        roles = {child.role for child in self._state.processes if not child.terminating}
        if settings.status and Role.STATUS not in roles:
            self.spawn(Role.STATUS, generation, status_main)
        if settings.preload and generation.zygote is None:
            self.spawn(Role.ZYGOTE, generation, zygote_main)
        if settings.preload and not generation.zygote_serves:
            return
        while self._missing(generation) > 0:
            # One worker at a time is requested of a zygote.
            if self._expected(generation) or not self._spawn_worker(generation):
                return

    def _spawn_worker(self, generation: Generation) -> bool:
        expected = {child.slot.index for child in self._state.processes.expected if child.slot}
        slot = self._state.scoreboard.take(expected)
        if slot is None:
            self.failed(f"cannot have more than {self._state.scoreboard.most} workers")
            return False
        return self.spawn(Role.WORKER, generation, worker_main, slot)

    def spawn(
        self,
        role: Role,
        generation: Generation,
        main: Callable[[ChildSpec], None],
        slot: Slot | None = None,
    ) -> bool:
        """Make a child that runs ``main``, in the master alone. Whether there is one now, or one
        to be expected; if not, it is tried later."""
        try:
            child = self._spawner.spawn(role, generation, main, slot)
        except OSError as error:
            self._cannot_fork(role, error.strerror or str(error))
            return False
        if role is Role.WORKER and child.pid:
            self._backoff.shortage_over()
        return True

    def worker_started(self, worker: Child) -> None:
        """One that was expected has a process. If it is not wanted any more, it ends."""
        self._spawner.enter(worker)
        self._backoff.shortage_over()
        known = {each.number: each for each in self._state.generations.known}
        generation = known.get(worker.generation)
        if generation is None or self._missing(generation) < 0:
            worker.terminate(self._state.graceful_timeout)
            self._end_all_old_if_complete()

    def worker_failed(self, worker: Child, reason: str) -> None:
        """One that was expected does not come."""
        self._state.processes.give_up(worker)
        if any(each.number == worker.generation for each in self._state.generations.known):
            self._cannot_fork(worker.role, reason)

    def _cannot_fork(self, role: Role, reason: str) -> None:
        self.failed(f"cannot fork a {role.value}: {reason}")
        self.end_old(one=True)  # which gives a process back

    def _expected(self, generation: Generation) -> int:
        """How many workers were requested of its zygote, which has not made them yet."""
        expected = self._state.processes.expected
        return sum(child.generation == generation.number for child in expected)

    def _missing(self, generation: Generation) -> int:
        # A generation on trial has one worker until that one serves; meanwhile there are as many
        # as ever of the one before.
        proven = generation is self._state.generations.proven
        workers = self._state.processes.workers(generation.number)
        there = sum(not child.retiring for child in workers) + self._expected(generation)
        return (self.target if proven else 1) - there

    # ── when to try again ────────────────────────────────────────────────────────────────────

    def failed(self, reason: str) -> None:
        """There is no child, or no longer. The ``reason`` is logged, and the next one waits."""
        self._backoff.failed(reason)

    def served(self) -> None:
        """A worker of the present generation serves: one that fails is replaced soon."""
        self._backoff.succeeded()

    def retry_now(self) -> None:
        """Something has changed: there may be children now."""
        self._backoff.cut_short()

    @property
    def next_deadline(self) -> float:
        """Monotonic second of the next try; infinity if there is none to wait for."""
        return self._backoff.until if self._backoff.waits else float("inf")

    # ── those that are replaced ──────────────────────────────────────────────────────────────

    def complete(self) -> bool:
        """Whether every worker that is wanted serves."""
        present = self._state.generations.present
        workers = self._state.processes.workers(present.number)
        there = self._missing(present) <= 0 and not self._expected(present)
        return there and all(child.serves for child in workers)

    def end_old(self, *, one: bool) -> None:
        """End workers that others replace: one for each that has begun to serve, at last all."""
        generations = self._state.generations
        for child in self._state.processes.workers():
            old = child.generation != generations.present.number
            if child.retiring or (old and not generations.on_trial):
                child.terminate(self._state.graceful_timeout)
                if one:
                    return

    def _end_all_old_if_complete(self) -> None:
        """After fewer are wanted: then perhaps no other one will begin to serve."""
        if not self._state.generations.on_trial and self.complete():
            self.end_old(one=False)
