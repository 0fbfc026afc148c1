"""Whether all that goes on is waiting: for a time-out of the server's, or for silence.

Silence alone does not report: a server that gets no processor time is silent too, and nobody must
take that for leisure. So it counts only while the machine has processor time to give.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from .load_adjusted_clock import running

SILENCE = 2.0
"""Seconds in which nothing was on the wire."""
LOOKING = 0.1
"""Seconds between two looks."""


class Waiting:
    """Within it, ``report`` is called once if nothing is done but to wait.

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
    """Whether no more processes want to run now than there are processors.

    False where that cannot be told.
    """
    found = running()
    return found is not None and found <= (os.cpu_count() or 1)
