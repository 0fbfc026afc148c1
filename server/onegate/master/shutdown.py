"""The end: TERM stops gracefully, INT and QUIT at once.

Gracefully: after ``--drain-delay`` nobody new is let in, workers finish what was accepted or
queued, and whoever takes longer than ``--graceful-timeout`` is killed.
"""

from __future__ import annotations

import logging
import time

from onegate.master.generations import Generations
from onegate.master.process_table import ProcessTable, Role
from onegate.master.upgrade import Succession
from onegate.process.scoreboard import Field, Scoreboard
from onegate.process.systemd import Notifier

log = logging.getLogger("onegate.error")


class Shutdown:
    """Ends all children. ``begun``: no other work is begun any more."""

    def __init__(
        self,
        processes: ProcessTable,
        generations: Generations,
        scoreboard: Scoreboard,
        succession: Succession,
        notifier: Notifier,
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._scoreboard = scoreboard
        self._succession = succession
        self._notifier = notifier
        self._quick = False
        self.begun = False
        self.due = float("inf")
        """Monotonic second at which the drain delay is over."""

    def begin(self, *, quick: bool) -> None:
        """Stop; once more if it is to be ``quick`` now."""
        if self.begun and (self._quick or not quick):
            return
        log.info("stopping %s", "at once" if quick else "gracefully")
        self._notifier.stopping()
        self._quick = quick
        first, self.begun = not self.begun, True
        for child in self._processes.having(Role.SUCCESSOR):
            # It does not serve yet, and is not to go on alone on listeners that refuse.
            log.info("%s is given up", child)
            child.end(self._generations.proven.settings.graceful_timeout)
        if not self._succession.shared:
            for slot in self._scoreboard.used():
                slot[Field.STOPPING] = 1.0
        delay = self._generations.proven.settings.drain_delay
        if first and not quick and delay and not self._succession.pending:
            self.due = time.monotonic() + delay
            return
        self._end_children()

    def turn(self) -> None:
        """Go on when the drain delay is over."""
        if time.monotonic() >= self.due:
            self._end_children()

    def _end_children(self) -> None:
        self.due = float("inf")
        if not self._quick and not self._succession.shared:
            for generation in self._generations.known:
                for listener in generation.listeners:
                    listener.refuse()
        workers = self._processes.having(Role.WORKER)
        for child in self._processes:
            # As long as a worker answers, it can be asked how far that is.
            last = child.role is Role.STATUS and workers and not self._quick
            if child.role is Role.SUCCESSOR or last:
                continue  # as for the first: that was done at the beginning
            if self._quick:
                child.end_at_once()
            else:
                child.end(self._generations.proven.settings.graceful_timeout)

    def child_ended(self) -> None:
        """After the last worker, end the process that told of them."""
        draining = self.due < float("inf")
        if not self.begun or draining or self._processes.having(Role.WORKER):
            return
        for child in self._processes.having(Role.STATUS):
            if not child.told:
                child.end_at_once()
