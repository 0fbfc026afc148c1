"""The pool of workers: as many as are wanted, and what they need beside them."""

from __future__ import annotations

import os

from onegate.backoff import Backoff
from onegate.generation import Generations
from onegate.hooks import Server
from onegate.process_table import ProcessTable, Role
from onegate.scoreboard import Scoreboard
from onegate.spawner import Spawner


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

    def aim_at(self, workers: int) -> None:
        """Have so many workers from now on."""
        generations = self._generations
        settings = generations.proven.settings
        server = Server(os.getpid(), settings)
        generations.present.hooks("nworkers_changed", server, workers, self.target)
        self.target = workers
        for child in self._processes.workers(generations.present.number)[workers:]:
            child.end(settings.graceful_timeout)

    def fill(self) -> None:
        """Make what is missing, unless it is too early to try again."""
        if self._backoff.waits:
            return
        present = self._generations.present
        roles = {child.role for child in self._processes if not child.told}
        if present.settings.status and Role.STATUS not in roles:
            self.fork(Role.STATUS)
        if present.settings.preload and present.template is None:
            self.fork(Role.TEMPLATE)
        if present.settings.preload and not present.template_serves():
            return
        while self._missing() > 0:
            if not self._fork_worker():
                return

    def _fork_worker(self) -> bool:
        slot = self._scoreboard.take()
        if slot is None:
            return False  # as many have yet to end
        return self._made(self._spawner.fork(Role.WORKER, slot))

    def fork(self, role: Role) -> bool:
        """Make a child that is no worker. Whether there is one now."""
        return self._made(self._spawner.fork(role))

    def _made(self, made: bool) -> bool:
        if not made:
            self.end_old(one=True)  # which gives a process back
        return made

    def _missing(self) -> int:
        # A generation on trial has one worker until that one serves.
        wanted = 1 if self._generations.on_trial else self.target
        workers = self._processes.workers(self._generations.present.number)
        return wanted - sum(not child.retiring for child in workers)

    def complete(self) -> bool:
        """Whether every worker that is wanted serves."""
        workers = self._processes.workers(self._generations.present.number)
        return self._missing() <= 0 and all(child.serves for child in workers)

    def end_old(self, *, one: bool) -> None:
        """End workers that others replace: one for each that has begun to serve, at last all."""
        for child in self._processes.workers():
            old = child.generation != self._generations.present.number
            if old or child.retiring:
                if self._generations.on_trial and not child.retiring:
                    return
                child.end(self._generations.proven.settings.graceful_timeout)
                if one:
                    return
