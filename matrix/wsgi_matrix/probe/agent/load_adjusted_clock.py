"""A load-adjusted clock: if more processes are runnable than there are processors, a server only
gets its share of each second, and this clock runs correspondingly slower.

Timeouts for a server are in its seconds, so that a busy host does not count against it. Times that
depend on the server's own clock (its timeouts, for example) are by the clock, as is the deadline of
a cell.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

LOOKING = 0.1
"""Seconds between two measurements."""
SHORTEST = 0.01
"""Minimum seconds of one wait, as the remaining time gets shorter with each."""
STAT = Path("/proc/stat")


def running() -> int | None:
    """Number of runnable processes except for this one, which is not a server; ``None`` if it is
    unknown."""
    try:
        found = re.search(r"^procs_running (\d+)$", STAT.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) - 1 if found else None


def share() -> float:
    """The share of a processor that a runnable process gets; 1 if there are enough processors."""
    return min(1.0, (os.cpu_count() or 1) / max(1, running() or 0))


class _Clock:
    """Adds up shares in a thread, so that it is accurate however rarely it is read."""

    def __init__(self) -> None:
        self._at = (time.monotonic(), 0.0, share())

    def look(self) -> None:
        """Look, again and again, until another clock takes its place."""
        while self in _clock:
            time.sleep(LOOKING)
            self._at = (time.monotonic(), self.now(), share())

    def now(self) -> float:
        at, seconds, part = self._at
        return seconds + (time.monotonic() - at) * part


_clock: list[_Clock] = []
_lock = threading.Lock()


def now() -> float:
    """The time by this clock: monotonic, with an arbitrary start."""
    with _lock:
        if not _clock:
            _clock.append(_Clock())
            threading.Thread(target=_clock[0].look, daemon=True).start()
    return _clock[0].now()


def wall(seconds: float) -> float:
    """``seconds`` of this clock as seconds of wall time, at the current load of the host."""
    return seconds / share()


class Patience:
    """A timeout of ``seconds`` by this clock, but not beyond the monotonic time ``deadline``."""

    def __init__(self, seconds: float, deadline: float = float("inf")) -> None:
        self.until = now() + seconds
        self.deadline = deadline

    def left(self) -> float:
        """Seconds by the clock to wait before the next call; 0 when it is over."""
        found = min(self.until - now(), self.deadline - time.monotonic())
        return max(found, SHORTEST) if found > 0 else 0.0

    def wall(self) -> float:
        """The remaining time by the clock; always greater than 0."""
        by_clock = min(wall(self.until - now()), self.deadline - time.monotonic())
        return max(by_clock, 0.001)
