"""Seconds as a server gets them: where more processes want to run than there are processors, it has
only its share of each.

A server is given up after so many of these, or a machine that is busy with others would be held
against it. What is a server's own time (its time-outs, say) goes by the clock, and so does the
deadline of a cell.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

LOOKING = 0.1
"""Seconds between two looks."""
SHORTEST = 0.01
"""Seconds of a wait: of what is left, less and less is over each time that it is looked again."""
STAT = Path("/proc/stat")


def running() -> int | None:
    """How many processes, but for this one, which is no server, want to run now; ``None`` where
    that cannot be told."""
    try:
        found = re.search(r"^procs_running (\d+)$", STAT.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) - 1 if found else None


def share() -> float:
    """How much of a second a process that wants to run gets of one: 1 where there is no want."""
    return min(1.0, (os.cpu_count() or 1) / max(1, running() or 0))


class _Clock:
    """Adds up; looked at by a thread, so that it is right however rarely it is asked."""

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
    """The time, in such seconds. Goes on, never back; begins anywhere."""
    with _lock:
        if not _clock:
            _clock.append(_Clock())
            threading.Thread(target=_clock[0].look, daemon=True).start()
    return _clock[0].now()


def wall(seconds: float) -> float:
    """So many of these, by the clock, as long as the machine is as busy as it is."""
    return seconds / share()


class Patience:
    """``seconds`` of these from now on, but nothing beyond the monotonic time ``deadline``."""

    def __init__(self, seconds: float, deadline: float = float("inf")) -> None:
        self.until = now() + seconds
        self.deadline = deadline

    def left(self) -> float:
        """Seconds of the clock to wait before it is asked again; 0 when it is over."""
        found = min(self.until - now(), self.deadline - time.monotonic())
        return max(found, SHORTEST) if found > 0 else 0.0

    def wall(self) -> float:
        """What is left of it, by the clock; at least a moment."""
        by_clock = min(wall(self.until - now()), self.deadline - time.monotonic())
        return max(by_clock, 0.001)
