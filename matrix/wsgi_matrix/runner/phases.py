"""Sends the events of a run to its handlers, one at a time, and times its phases."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

from wsgi_matrix.runner import events


class Phases:
    """Sends events to handlers, and times the phases."""

    def __init__(self, handlers: Sequence[events.Handler]) -> None:
        self.seconds: dict[str, float] = {}
        """Seconds by phase, in the order in which they first began."""
        self._handlers = handlers
        self._phase: tuple[str, float] | None = None
        self._telling = threading.RLock()

    def tell(self, event: events.Event) -> None:
        """Send ``event`` to all handlers, one at a time; thread-safe."""
        with self._telling:
            for handler in self._handlers:
                handler(event)

    def note(self, name: str, detail: str) -> None:
        """Report progress of the engine's preparation; a new name begins a new phase."""
        with self._telling:
            if self._phase is None or self._phase[0] != name:
                self.end()
                self._begin(name)
            if detail:
                self.tell(events.PhaseNote(name, detail))

    def end(self) -> None:
        """End the current phase, if any."""
        if self._phase is None:
            return
        name, began = self._phase
        self._phase = None
        # An engine may return to a phase, for a second Python for example: its seconds add up.
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began
        self.tell(events.PhaseDone(name, self.seconds[name]))

    @contextlib.contextmanager
    def within(self, name: str) -> Iterator[None]:
        """Run one phase; the one before ends."""
        self.end()
        self._begin(name)
        try:
            yield
        finally:
            self.end()

    def _begin(self, name: str) -> None:
        self._phase = (name, time.monotonic())
        self.tell(events.PhaseStarted(name))
