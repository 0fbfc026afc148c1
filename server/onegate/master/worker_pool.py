"""The pool of workers: as many as are wanted, and what they need beside them."""

from __future__ import annotations

from onegate.master.backoff import Backoff
from onegate.master.generations import Generation, Generations
from onegate.master.process_table import ProcessTable, Role
from onegate.master.spawner import Spawner
from onegate.process.scoreboard import Scoreboard, Total


class Pool:
    """Keeps the number of workers of the present generation at ``target``."""

    def __init__(
        self,
        processes: ProcessTable,
        generations: Generations,
        scoreboard: Scoreboard,
        spawner: Spawner,
        backoff: Backoff,
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._scoreboard = scoreboard
        self._spawner = spawner
        self._backoff = backoff
        self.target = generations.present.settings.workers

    @property
    def target(self) -> int:
        """How many workers are wanted. Hooks see it."""
        return self._generations.server.num_workers

    @target.setter
    def target(self, workers: int) -> None:
        self._generations.server.num_workers = workers
        self._scoreboard.totals[Total.WANTED] = workers

    def aim_at(self, workers: int) -> None:
        """Have so many workers from now on."""
        generations = self._generations
        settings = generations.proven.settings
        before, self.target = self.target, workers
        generations.call("nworkers_changed", workers, before, of=generations.proven)
        for child in self._processes.workers(generations.proven.number)[workers:]:
            child.end(settings.graceful_timeout)

    def fill(self) -> None:
        """Make what is missing, unless it is too early to try again."""
        for generation in reversed(self._generations.known):
            if self._backoff.waits:
                return
            self._fill(generation)

    def _fill(self, generation: Generation) -> None:
        settings = generation.settings
        roles = {child.role for child in self._processes if not child.told}
        if settings.status and Role.STATUS not in roles:
            self.fork(Role.STATUS, generation)
        if settings.preload and generation.template is None:
            self.fork(Role.TEMPLATE, generation)
        if settings.preload and not generation.template_serves():
            return
        while self._missing(generation) > 0:
            if not self._fork_worker(generation):
                return

    def _fork_worker(self, generation: Generation) -> bool:
        slot = self._scoreboard.take()
        if slot is None:
            self._backoff.failed(f"there is room for {self._scoreboard.most} workers, no more")
            return False
        return self._made(self._spawner.fork(Role.WORKER, generation, slot))

    def fork(self, role: Role, generation: Generation) -> bool:
        """Make a child that is no worker. Whether there is one now."""
        return self._made(self._spawner.fork(role, generation))

    def _made(self, made: bool) -> bool:
        if not made:
            self.end_old(one=True)  # which gives a process back
        return made

    def _missing(self, generation: Generation) -> int:
        # A generation on trial has one worker until that one serves; meanwhile there are as many
        # as ever of the one before.
        proven = generation is self._generations.proven
        workers = self._processes.workers(generation.number)
        return (self.target if proven else 1) - sum(not child.retiring for child in workers)

    def complete(self) -> bool:
        """Whether every worker that is wanted serves."""
        present = self._generations.present
        workers = self._processes.workers(present.number)
        return self._missing(present) <= 0 and all(child.serves for child in workers)

    def end_old(self, *, one: bool) -> None:
        """End workers that others replace: one for each that has begun to serve, at last all."""
        for child in self._processes.workers():
            old = child.generation != self._generations.present.number
            if child.retiring or (old and not self._generations.on_trial):
                child.end(self._generations.proven.settings.graceful_timeout)
                if one:
                    return
