"""What a killed run of the process engine leaves, and how the next one removes it.

A run keeps a folder ``run-OWNER-…`` (``owner``) with a line ``PID START`` in ``processes`` for each
process that it started: a process id alone proves nothing, since ids are given again.
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


def make_folder(parent: Path) -> Path:
    """A folder for one run of this process."""
    return new_directory(parent, f"run-{owner()}-")


def record(folder: Path, pid: int) -> None:
    """Note that this run started process ``pid``."""
    with (folder / LIST).open("a") as file:
        file.write(f"{pid} {start_time(pid)}\n")


def clean(parent: Path) -> int:
    """Kill the processes of runs that are gone and remove their folders. Returns how many runs."""
    count = 0
    for folder in parent.glob("run-*-*"):
        whose = folder.name.removeprefix("run-").rpartition("-")[0]
        if is_alive(whose):
            continue
        if of_this_boot(whose):
            with contextlib.suppress(OSError):
                for line in (folder / LIST).read_text().splitlines():
                    _kill_group(*line.split())
        shutil.rmtree(folder, ignore_errors=True)
        count += 1
    return count


def _kill_group(pid: str, started: str) -> None:
    """Kill the process and, as each was started as leader of a session, all of its group."""
    if start_time(int(pid)) != started:
        return
    with contextlib.suppress(OSError):
        os.killpg(int(pid), signal.SIGKILL)
