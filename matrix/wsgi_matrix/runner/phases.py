"""What a run tells while it goes on, one event at a time, and how long its phases take."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

from wsgi_matrix.runner import events


class Phases:
    """Tells the handlers of phases, which it times, and of what else there is."""

    def __init__(self, handlers: Sequence[events.Handler]) -> None:
        self.seconds: dict[str, float] = {}
        """By phase, in the order in which they first began."""
        self._handlers = handlers
        self._phase: tuple[str, float] | None = None
        self._telling = threading.RLock()

    def tell(self, event: events.Event) -> None:
        """Hand ``event`` to all handlers; from any thread, and to one at a time."""
        with self._telling:
            for handler in self._handlers:
                handler(event)

    def note(self, name: str, detail: str) -> None:
        """Progress of the engine's preparation; another name begins another phase."""
        with self._telling:
            if self._phase is None or self._phase[0] != name:
                self.end()
                self._begin(name)
            if detail:
                self.tell(events.PhaseNote(name, detail))

    def end(self) -> None:
        """End the phase that goes on, if any."""
        if self._phase is None:
            return
        name, began = self._phase
        self._phase = None
        # An engine may come back to a phase, say for a second Python: its seconds add up.
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began
        self.tell(events.PhaseDone(name, self.seconds[name]))

    @contextlib.contextmanager
    def within(self, name: str) -> Iterator[None]:
        """One phase, and the end of the one before."""
        self.end()
        self._begin(name)
        try:
            yield
        finally:
            self.end()

    def _begin(self, name: str) -> None:
        self._phase = (name, time.monotonic())
        self.tell(events.PhaseStarted(name))
