"""Detects that all scenarios only wait: for a timeout of the server, or for silence.

Silence alone is not enough, because a server without processor time is silent too. So it only
counts while the host has idle processors.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from .load_adjusted_clock import running

SILENCE = 2.0
"""Seconds without any event on the wire."""
LOOKING = 0.1
"""Seconds between two checks."""


class Waiting:
    """A context in which ``report`` is called once when scenarios only wait.

    ``events``: how many events the running scenarios have reported so far.
    """

    def __init__(self, events: Callable[[], int], report: Callable[[], None]) -> None:
        self._events, self._report = events, report
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before, silent = self._events(), 0
        while not self._over.wait(LOOKING):
            events = self._events()
            silent = silent + 1 if events == before and has_time() else 0
            before = events
            if silent * LOOKING >= SILENCE:
                self._report()
                return


def has_time() -> bool:
    """Whether there are no more runnable processes than processors.

    False if that is unknown.
    """
    found = running()
    return found is not None and found <= (os.cpu_count() or 1)
