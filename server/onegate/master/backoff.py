"""When to try again what has failed, or to replace what has grown: later each time in a row."""

from __future__ import annotations

import logging
import time

log = logging.getLogger("onegate.error")

_MAX_SECONDS = 30.0
_SOON = 60.0
_LATEST = 30.0
"""Seconds. Not longer: with an application that leaks, this is what it goes on growing for."""


class Backoff:
    """From 0.2 seconds on each wait is twice as long, up to 30."""

    def __init__(self) -> None:
        self.until = 0.0
        """Monotonic second before which nothing is tried."""
        self._failures = 0
        self._complaint = ""

    def failed(self, reason: str) -> None:
        """Wait. The ``reason`` is logged, once for a shortage that lasts."""
        self._failures += 1
        wait = min(_MAX_SECONDS, 0.1 * 2 ** min(self._failures, 16))
        self.until = time.monotonic() + wait
        if reason != self._complaint:
            log.error("%s; next try in %.1f s", reason, wait)
        self._complaint = reason

    def shortage_over(self) -> None:
        """The next shortage is news."""
        self._complaint = ""

    def succeeded(self) -> None:
        """The next wait is a short one."""
        self._failures = 0

    def cut_short(self) -> None:
        """Something has changed: try at once."""
        self.until = 0.0

    @property
    def waits(self) -> bool:
        """Whether it is too early for another try."""
        return time.monotonic() < self.until


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
