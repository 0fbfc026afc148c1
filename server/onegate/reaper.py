"""Children that have ended (waitpid(2)), and what they died of.

One SIGCHLD may stand for many dead children, so they are reaped in a loop until there is none
left; as process 1 the master inherits orphans too, which are reaped like its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from onegate.limits import oom_kills


def reap() -> Iterator[tuple[int, int]]:
    """Process number and exit code of each that has ended; the code is -N for signal N."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


class Autopsy:
    """Tells a kill by the kernel for want of memory from others: it counts them."""

    def __init__(self) -> None:
        self._oom_kills = oom_kills()

    def cause(self, code: int) -> str:
        """How a child ended that nobody asked to, for the log."""
        before, self._oom_kills = self._oom_kills, oom_kills()
        if code >= 0:
            return f"exited with {code}"
        name = signal.Signals(-code).name
        if code != -signal.SIGKILL:
            return f"was killed by {name}"
        if self._oom_kills > before:
            return "was killed by the kernel: out of memory"
        return f"was killed by {name}, not by this server"
