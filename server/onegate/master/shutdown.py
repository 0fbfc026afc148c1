"""The end: TERM stops gracefully, INT and QUIT at once.

Gracefully: after ``--drain-delay`` nobody new is let in, workers finish what was accepted or
queued, and whoever takes longer than ``--graceful-timeout`` is killed.
"""

from __future__ import annotations

import logging
import time

from onegate.master.process_table import Child, Role
from onegate.master.state import MasterState
from onegate.process.scoreboard import Field

log = logging.getLogger("onegate.error")

_NEVER = float("inf")


class Shutdown:
    """Ends all children. ``begun``: no other work is begun any more."""

    def __init__(self, state: MasterState) -> None:
        self._state = state
        self._at_once = False
        self.begun = False
        self.exit_status = 0
        self.next_deadline = _NEVER
        """Monotonic second at which the drain delay is over."""

    def stop_gracefully(self) -> None:
        """Begin to stop, unless that was done."""
        if self.begun:
            return
        log.info("stopping gracefully")
        self._begin()
        delay = self._state.generations.proven.settings.drain_delay
        # One that never served needs nobody to be told that it goes.
        if delay and not self._state.handover.pending:
            self.next_deadline = time.monotonic() + delay
        else:
            self._end_children()

    def stop_at_once(self) -> None:
        """Stop; what was begun gracefully is over then."""
        if self._at_once:
            return
        log.info("stopping immediately")
        self._at_once = True
        self._begin()
        self._end_children()

    def fail(self) -> None:
        """Stop at once, with exit status 1: nothing can be served."""
        self.exit_status = 1
        self.stop_at_once()

    def turn(self) -> None:
        """Go on when the drain delay is over."""
        if time.monotonic() >= self.next_deadline:
            self._end_children()

    def worker_started(self, worker: Child) -> None:
        """One that was expected when the end began has a process now, which is to end too."""
        if worker.slot is not None and not self._state.handover.shared:
            worker.slot[Field.STOPPING] = 1.0
        if not self._draining:
            self._end(worker)

    def child_ended(self) -> None:
        """After the last worker, end the process that told of them."""
        if not self.begun or self._draining or self._state.processes.having(Role.WORKER):
            return
        for child in self._state.processes.having(Role.STATUS):
            if not child.terminating:
                child.quit()

    def _begin(self) -> None:
        self.begun = True
        self._state.notifier.stopping()
        for child in self._state.processes.having(Role.SUCCESSOR):
            # It does not serve yet, and is not to go on alone on listeners that refuse.
            log.info("upgrade cancelled, stopping %s", child)
            child.terminate(self._state.graceful_timeout)
        if not self._state.handover.shared:
            for slot in self._state.scoreboard.used():
                slot[Field.STOPPING] = 1.0

    def _end_children(self) -> None:
        self.next_deadline = _NEVER
        if not self._at_once and not self._state.handover.shared:
            for generation in self._state.generations.known:
                for listener in generation.listeners:
                    listener.refuse()
        workers = self._state.processes.having(Role.WORKER)
        for child in self._state.processes:
            # As long as a worker answers, it can be asked how far that is.
            last = child.role is Role.STATUS and workers and not self._at_once
            if child.role is Role.SUCCESSOR or last:
                continue  # as for the first: that was done at the beginning
            self._end(child)

    def _end(self, child: Child) -> None:
        if self._at_once:
            child.quit()
        else:
            child.terminate(self._state.graceful_timeout)

    @property
    def _draining(self) -> bool:
        return self.next_deadline < _NEVER
