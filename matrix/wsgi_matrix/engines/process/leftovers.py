"""Leftovers of killed runs of the process engine, which the next run removes.

A run has a directory ``run-OWNER-…`` (``owner``) with a line ``PID START`` in ``processes`` for
each process that it started; a pid alone proves nothing, since pids are reused.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path

from wsgi_matrix.util.atomic_write import new_directory
from wsgi_matrix.util.process_owner import is_alive, of_this_boot, owner, start_time

LIST = "processes"


def make_directory(parent: Path) -> Path:
    """Make a directory for one run of this process."""
    return new_directory(parent, f"run-{owner()}-")


def record(directory: Path, pid: int) -> None:
    """Record that this run started the process ``pid``."""
    with (directory / LIST).open("a") as file:
        file.write(f"{pid} {start_time(pid)}\n")


def clean(parent: Path) -> int:
    """Kill the processes of dead runs and remove their directories; return the number of runs."""
    count = 0
    for directory in parent.glob("run-*-*"):
        whose = directory.name.removeprefix("run-").rpartition("-")[0]
        if is_alive(whose):
            continue
        if of_this_boot(whose):
            with contextlib.suppress(OSError):
                for line in (directory / LIST).read_text().splitlines():
                    _kill_group(*line.split())
        shutil.rmtree(directory, ignore_errors=True)
        count += 1
    return count


def _kill_group(pid: str, started: str) -> None:
    """Kill the process and its process group, which it leads as a session leader."""
    if start_time(int(pid)) != started:
        return
    with contextlib.suppress(OSError):
        os.killpg(int(pid), signal.SIGKILL)
