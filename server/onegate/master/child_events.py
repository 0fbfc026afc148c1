"""What children report, how they end (waitpid(2)), and what follows from it.

A worker that dies is replaced, at once if it had served for a second; what goes on failing waits
longer each time. An application that has never been loaded ends the server.

One SIGCHLD may stand for many dead children, so all of them are asked about; as process 1 the
master inherits orphans too, which are reaped like its own.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator

from onegate.master.child_main import BOOT_FAILED
from onegate.master.process_table import Child, Role
from onegate.master.reload import Reload
from onegate.master.shutdown import Shutdown
from onegate.master.state import MasterState
from onegate.master.upgrade import Upgrade
from onegate.master.worker_pool import WorkerPool
from onegate.process.resource_limits import oom_kills
from onegate.process.scoreboard import Field, Total

log = logging.getLogger("onegate.error")

_SOON = 60.0
_LATEST = 30.0
"""Seconds. Not longer: with an application that leaks, this is what it goes on growing for."""


class ChildEvents:
    """Reads what children report, takes note of their ends, and decides what follows."""

    def __init__(
        self,
        state: MasterState,
        pool: WorkerPool,
        reload: Reload,
        shutdown: Shutdown,
        upgrade: Upgrade,
    ) -> None:
        self._state = state
        self._pool = pool
        self._reload = reload
        self._shutdown = shutdown
        self._upgrade = upgrade
        self._causes = DeathCauses()
        self._replacements = Replacements()
        self._served = False
        """Whether any worker ever has."""

    # ── what they report ─────────────────────────────────────────────────────────────────────

    def read_reports(self, child: Child) -> None:
        """A child reports its pid (=) or why there is none (!), that it serves (+), that it wants
        to be replaced (-, m), or is gone."""
        reported = self._state.processes.read(child)
        if b"=" in reported:
            self._has_pid(child, _number_after(b"=", reported))
        if not child.pid and (b"!" in reported or child.status_fd < 0):
            self._is_not_forked(child, reported)
        if b"+" in reported:
            child.reported_serving()
            self._serves(child)
        if b"-" in reported:
            if child.role is Role.ZYGOTE:
                self._files_changed(child)
            else:
                self._retires(child)
        if b"m" in reported:
            self._is_large(child)

    def _has_pid(self, child: Child, pid: int) -> None:
        expected = not child.pid
        child.reported_pid(pid)
        if expected:
            self._pool.worker_started(child)
            if self._shutdown.begun:
                self._shutdown.worker_started(child)

    def _is_not_forked(self, child: Child, reported: bytes) -> None:
        if self._shutdown.begun:
            self._state.processes.give_up(child)
        elif b"!" in reported:
            self._pool.worker_failed(child, os.strerror(_number_after(b"!", reported)))
        else:
            self._pool.worker_failed(child, "the zygote has ended")

    def turn(self) -> None:
        """Those retire now who had to wait for it."""
        for child in self._state.processes.workers():
            if time.monotonic() >= child.retire_at:
                self._retires(child)

    def _serves(self, child: Child) -> None:
        if child.role is Role.SUCCESSOR:
            self._upgrade.successor_serves(child)
        elif child.role is Role.WORKER:
            if child.generation == self._state.generations.present.number:
                self._worker_serves()
            elif not child.terminating:
                # It replaces one that died, or wants to end, while another one is on trial.
                self._pool.end_old(one=True)

    def _worker_serves(self) -> None:
        """One of the present generation has begun to."""
        first, self._served = not self._served, True
        self._pool.served()
        if self._state.generations.on_trial:
            self._reload.adopt()
        self._pool.end_old(one=not self._pool.complete())
        if first:
            self._state.notifier.ready()
            self._upgrade.take_over()

    def _retires(self, child: Child) -> None:
        child.retire()
        self._state.count(Total.RETIRED)

    def _is_large(self, child: Child) -> None:
        """It uses more memory than --max-worker-memory."""
        lived = time.monotonic() - child.since
        wait = self._replacements.wait(lived)
        if not wait:
            self._retires(child)
            return
        child.retire_in(wait)
        assert child.slot is not None
        log.warning(
            "%s uses %d MiB after %.0f s: --max-worker-memory (%d MiB) is too low for this"
            " application; replacing it in %.0f s",
            child,
            int(child.slot[Field.RESIDENT]) >> 20,
            lived,
            self._state.generations.proven.settings.max_worker_memory >> 20,
            wait,
        )

    def _files_changed(self, zygote: Child) -> None:
        """With --reload: those have changed that a zygote has loaded."""
        present = zygote.generation == self._state.generations.present.number
        if present and not self._shutdown.begun:
            self._reload.begin()

    # ── how they end ─────────────────────────────────────────────────────────────────────────

    def reap(self) -> None:
        """Take note of all that have ended."""
        processes = self._state.processes
        for pid, code in reap([-1] if inherits() else [child.pid for child in processes]):
            child = processes.get(pid) or self._expected(pid)
            if child is None:
                continue  # an orphan that process 1, or a subreaper, has inherited
            self.read_reports(child)  # the last ones; it may have taken over meanwhile
            if processes.get(pid) is not None:
                self._ended(child, code)

    def _expected(self, pid: int) -> Child | None:
        """A worker that was expected, has reported its pid, and has ended before that was read."""
        for child in list(self._state.processes.expected):
            self.read_reports(child)
        return self._state.processes.get(pid)

    def _ended(self, child: Child, code: int) -> None:
        self._state.processes.remove(child)
        self._state.generations.zygote_ended(child)
        if child.role is Role.WORKER:
            self._state.generations.worker_ended(child)
        if not self._shutdown.begun and not child.terminating:
            self._died(child, code)
        elif child.kill_reason:
            log.warning("%s was killed: it %s", child, child.kill_reason)
        self._shutdown.child_ended()

    def _died(self, child: Child, code: int) -> None:
        """A child that nobody told to end has ended."""
        cause = self._causes.of(code)
        if child.role is Role.WORKER:
            self._state.count(Total.CRASHED)
        generations = self._state.generations
        if child.role is Role.SUCCESSOR:
            log.error("%s %s before it was ready; upgrade cancelled", child, cause)
        elif child.serves and time.monotonic() - child.since > 1:
            log.warning("%s %s; replacing it", child, cause)
        elif generations.on_trial and child.generation == generations.present.number:
            log.error("%s %s; reload failed, keeping the old workers", child, cause)
            self._reload.fail()
        elif self._served or child.role is Role.STATUS or child.serves:
            self._pool.failed(f"{child} {cause}")
        else:
            # The application cannot be loaded at all: say so by ending.
            if code != BOOT_FAILED:  # of which the child has said why
                log.error("%s %s before it was ready", child, cause)
            self._shutdown.fail()


def _number_after(mark: bytes, reported: bytes) -> int:
    return int(reported.partition(mark)[2].partition(b";")[0])


class Replacements:
    """How soon a worker is replaced that is too large.

    One that has become so within a minute is replaced later each time, for its successor will be
    as large as soon: the limit is less than what the application needs.
    """

    def __init__(self) -> None:
        self._wait = 0.0

    def wait(self, lived: float) -> float:
        """Seconds until one is replaced that has ``lived`` for so many; 0 if at once."""
        if lived > _SOON:
            self._wait = 0.0
        else:
            self._wait = min(_LATEST, self._wait * 2 or 1.0)
        return self._wait


# ── waitpid(2) ────────────────────────────────────────────────────────────────────────────────────


def reap(pids: Iterable[int] = (-1,)) -> Iterator[tuple[int, int]]:
    """The pid and exit code of each child that has ended; the code is -N for signal N.

    ``pids``: whom to ask about, -1 for every child.
    """
    for wanted in pids:
        while True:
            try:
                pid, status = os.waitpid(wanted, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            yield pid, os.waitstatus_to_exitcode(status)


def inherits() -> bool:
    """Whether children come to this process that it has not made: orphans, which are to be reaped.

    Otherwise those that it has not forked as a master are somebody's own, who waits for them: a
    hook's, or those of a program that called :func:`onegate.serve`.
    """
    return os.getpid() == 1 or "onegate.master.zygote" in sys.modules  # which makes a subreaper


class DeathCauses:
    """Tells a kill by the kernel for want of memory from others: it counts them."""

    def __init__(self) -> None:
        self._oom_kills = oom_kills()

    def of(self, code: int) -> str:
        """How a child ended that nobody told to, for the log."""
        before, self._oom_kills = self._oom_kills, oom_kills()
        if code >= 0:
            return f"exited with status {code}"
        name = signal.Signals(-code).name
        if code != -signal.SIGKILL:
            return f"was killed by {name}"
        if self._oom_kills > before:
            return "was killed by the kernel (out of memory)"
        return f"was killed by {name} (not sent by the master)"
