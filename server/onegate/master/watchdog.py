"""Timeouts: workers that are stuck in one call, zygotes that hang, and the master's own signs of
life.

A worker writes the time into shared memory (:mod:`onegate.process.scoreboard`); nobody waits for
anybody.
"""

from __future__ import annotations

import logging
import time

from onegate.master.process_table import Child, Role
from onegate.master.state import MasterState
from onegate.process.scoreboard import Field, Total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings

log = logging.getLogger("onegate.error")

_ZYGOTE_SECONDS = 10.0
"""In which a zygote has to fork the worker that was requested of it."""
_AWAY = 2.0
"""Seconds in which the master itself did not run (suspended, paused). What workers did meanwhile
is not held against them. The loop turns once a second."""


class Watchdog:
    """Judges workers, and tells the service manager's watchdog that the master's loop turns."""

    def __init__(self, state: MasterState) -> None:
        self._state = state
        self._awake_since = self._turned_at = self._notify_at = time.monotonic()

    def turn(self) -> None:
        """The master's loop turns."""
        if time.monotonic() - self._turned_at > _AWAY:
            self._awake_since = time.monotonic()
        self._turned_at = time.monotonic()

    def check_workers(self) -> None:
        """Have those killed that are stuck in one call for longer than ``--timeout``."""
        settings = self._state.generations.proven.settings
        if not settings.timeout:
            return
        for child in self._state.processes.workers():
            # A worker that has nothing to do beats once a second.
            if child.serves and (stuck := self._stuck(child)) > settings.timeout + 1:
                log.error("%s has been stuck in one call for %.0f s; killing it", child, stuck)
                self._name_calls(child, settings)
                self._state.count(Total.TIMED_OUT)
                self._state.generations.present.hooks("worker_abort", child.worker)
                child.abort("was stuck")

    def check_zygotes(self) -> None:
        """Have those killed from which a worker is expected for too long: others replace them."""
        processes = self._state.processes
        for worker in list(processes.expected):
            waited = time.monotonic() - max(worker.since, self._awake_since)
            if waited > _ZYGOTE_SECONDS:
                processes.give_up(worker)
                for zygote in processes.having(Role.ZYGOTE):
                    if zygote.generation == worker.generation and not zygote.terminating:
                        log.error("%s has not responded for %.0f s; killing it", zygote, waited)
                        zygote.kill("did not respond")

    @staticmethod
    def _name_calls(child: Child, settings: Settings) -> None:
        """Log which requests a worker is stuck in, the oldest first."""
        assert child.slot is not None
        now = time.monotonic()
        for each in child.slot.noted():
            lasts = now - (each.since or child.slot[Field.BEAT])
            if lasts > settings.timeout:
                since = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(time.time() - lasts))
                line, client = ascii(each.line), each.client or "a Unix socket"
                log.error("%s: stuck request %s from %s, started %s", child, line, client, since)

    def _stuck(self, child: Child) -> float:
        slot = child.slot
        assert slot is not None
        since = min(slot[Field.BEAT], slot[Field.CALL_SINCE] or slot[Field.BEAT])
        return time.monotonic() - max(since, self._awake_since)

    def notify(self) -> None:
        """Give a sign of life if it is time for one."""
        if time.monotonic() >= self.next_deadline:
            self._notify_at = time.monotonic() + self._state.notifier.watchdog
            self._state.notifier.alive()

    @property
    def next_deadline(self) -> float:
        """Monotonic second of the next sign of life."""
        return self._notify_at if self._state.notifier.watchdog else float("inf")
