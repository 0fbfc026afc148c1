"""What children say, how they end, and what follows from it.

A worker that dies is replaced, at once if it had served for a second; what goes on failing waits
longer each time. An application that has never been loaded ends the server.
"""

from __future__ import annotations

import logging
import time

from onegate.errors import SettingsError
from onegate.master.backoff import Backoff, Replacements
from onegate.master.generations import Generations
from onegate.master.process_table import Child, ProcessTable, Role
from onegate.master.reaper import Autopsy, inherits, reap
from onegate.master.reload import Reload
from onegate.master.shutdown import Shutdown
from onegate.master.upgrade import Succession, step_aside
from onegate.master.worker_pool import Pool
from onegate.net.bind import update_owners
from onegate.process.pidfile import PidFile
from onegate.process.scoreboard import Field, Scoreboard, Total
from onegate.process.systemd import Notifier

log = logging.getLogger("onegate.error")


class Supervisor:
    """Hears of children and decides. ``exit_status``: 1 if the application was never loaded."""

    def __init__(
        self,
        processes: ProcessTable,
        generations: Generations,
        pool: Pool,
        backoff: Backoff,
        reload: Reload,
        shutdown: Shutdown,
        succession: Succession,
        notifier: Notifier,
        pidfile: PidFile,
        scoreboard: Scoreboard,
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._pool = pool
        self._backoff = backoff
        self._reload = reload
        self._shutdown = shutdown
        self._succession = succession
        self._notifier = notifier
        self._pidfile = pidfile
        self._totals = scoreboard.totals
        self._autopsy = Autopsy()
        self._replacements = Replacements()
        self._served = False
        """Whether any worker ever has."""
        self.exit_status = 0

    # ── what they say ────────────────────────────────────────────────────────────────────────

    def hear(self, child: Child) -> None:
        """A child says that it serves (+), that it wants to be replaced (-, m), or has hung up."""
        said = self._processes.hear(child)
        if b"=" in said:
            child.named = int(said.partition(b"=")[2].partition(b";")[0])
        if b"+" in said:
            child.serves = True
            self._serves(child)
        if b"-" in said:
            if child.role is Role.TEMPLATE:
                self._changed(child)
            else:
                self._retires(child)
        if b"m" in said:
            self._is_large(child)

    def _retires(self, child: Child) -> None:
        child.retiring = True
        child.retire_at = float("inf")
        self._totals[Total.RETIRED] += 1

    def _is_large(self, child: Child) -> None:
        """It uses more memory than --max-worker-memory."""
        now = time.monotonic()
        lived = now - child.since
        wait = self._replacements.wait(lived)
        if not wait:
            self._retires(child)
            return
        child.retire_at = now + wait
        assert child.slot is not None
        log.warning(
            "%s uses %d MiB after %.0f s: --max-worker-memory (%d MiB) is too little for this"
            " application; it is replaced in %.0f s",
            child,
            int(child.slot[Field.RESIDENT]) >> 20,
            lived,
            self._generations.proven.settings.max_worker_memory >> 20,
            wait,
        )

    def turn(self) -> None:
        """Those retire now who had to wait for it."""
        for child in self._processes.workers():
            if time.monotonic() >= child.retire_at:
                self._retires(child)

    def _changed(self, template: Child) -> None:
        """With --reload: files have changed that a template has loaded."""
        present = template.generation == self._generations.present.number
        if present and not self._shutdown.begun and self._reload.begin():
            self._backoff.cut_short()

    def _serves(self, child: Child) -> None:
        if child.role is Role.SUCCESSOR:
            if child.told:
                return  # given up in the meantime
            log.info("process %d has taken over", child.named)
            self._succession.done = True
            self._processes.remove(child)
            step_aside(child)
            self._notifier.set_main_pid(child.named)
            self._shutdown.begin(quick=False)
        elif child.role is Role.WORKER and child.generation == self._generations.present.number:
            self._worker_serves()
        elif child.role is Role.WORKER:
            # It replaces one that died, or wants to end, while another generation is on trial.
            self._pool.end_old(one=True)

    def _worker_serves(self) -> None:
        """One of the present generation has begun to."""
        first, self._served = not self._served, True
        self._backoff.succeeded()
        if self._generations.on_trial:
            self._reload.adopt()
            self._totals[Total.RELOADED] += 1
            self._pool.target = self._generations.present.settings.workers
        self._pool.end_old(one=not self._pool.complete())
        if first:
            self._notifier.ready()
            self._succeed()

    def _succeed(self) -> None:
        """Let the master before this one go, if there is one."""
        succession = self._succession
        if not succession.pending:
            return
        if not succession.waited_for():
            self.abandoned()
            return
        try:
            self._pidfile.write()
        except SettingsError as error:
            log.error("%s", error)
        present = self._generations.present
        update_owners(present.all_listeners(), present.settings)
        try:
            succession.ready()
        except BrokenPipeError:
            self.abandoned()
            return
        succession.give_up(self._generations.all_listeners())

    def abandoned(self) -> None:
        """The master before this one is gone, or does not wait for this one any more: end, before
        two of them serve."""
        if not self._succession.abandoned:
            log.error("the master before this one is gone, or has given this one up")
            self._succession.abandoned = True
            self._succession.forget()
            self.exit_status = 1
            self._shutdown.begin(quick=True)

    # ── how they end ─────────────────────────────────────────────────────────────────────────

    def reap(self) -> None:
        """Take note of all that have ended."""
        for pid, code in reap([-1] if inherits() else [child.pid for child in self._processes]):
            child = self._processes.get(pid)
            if child is None:
                continue  # an orphan that process 1, or a subreaper, has inherited
            self.hear(child)  # what it said last; it may have taken over meanwhile
            if self._processes.get(pid) is not None:
                self._ended(child, code)

    def _ended(self, child: Child, code: int) -> None:
        self._processes.remove(child)
        self._generations.forget(child)
        if child.role is Role.WORKER:
            generations = self._generations
            generations.server.WORKERS.pop(child.pid, None)
            generations.call("child_exit", child.worker, of=generations.of(child.generation))
        if not self._shutdown.begun and not child.told:
            self._died(child, code)
        elif child.reason:
            log.warning("%s was killed: it %s", child, child.reason)
        self._shutdown.child_ended()

    def _died(self, child: Child, code: int) -> None:
        """A child that nobody asked to end has ended."""
        how = self._autopsy.cause(code)
        if child.role is Role.WORKER:
            self._totals[Total.CRASHED] += 1
        generations = self._generations
        if child.role is Role.SUCCESSOR:
            log.error("%s %s before it served; this one goes on", child, how)
        elif child.serves and time.monotonic() - child.since > 1:
            log.warning("%s %s; it is replaced", child, how)
        elif generations.on_trial and child.generation == generations.present.number:
            log.error("%s %s; reload failed, the old workers go on", child, how)
            self._reload.fail()
            self._totals[Total.RELOAD_FAILED] += 1
        elif self._served or child.role is Role.STATUS or child.serves:
            self._backoff.failed(f"{child} {how}")
        else:
            # The application cannot be loaded at all: say so by ending.
            self.exit_status = 1
            self._shutdown.begin(quick=True)
