"""Children that have ended (waitpid(2)), and what they died of.

One SIGCHLD may stand for many dead children, so all of them are asked about; as process 1 the
master inherits orphans too, which are reaped like its own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator

from onegate.process.rlimits import oom_kills


def reap(pids: Iterable[int] = (-1,)) -> Iterator[tuple[int, int]]:
    """Process number and exit code of each that has ended; the code is -N for signal N.

    ``pids``: whom to ask about, -1 for every child.
    """
    for wanted in pids:
        while True:
            try:
                pid, status = os.waitpid(wanted, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            yield pid, os.waitstatus_to_exitcode(status)


def inherits() -> bool:
    """Whether children come to this process that it has not made: orphans, which are to be reaped.

    Otherwise those that it has not forked as a master are somebody's own, who waits for them: a
    hook's, or those of a program that called :func:`onegate.serve`.
    """
    return os.getpid() == 1 or "onegate.master.zygote" in sys.modules  # which makes a subreaper


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
