"""What a killed run of the process engine leaves, and how the next one removes it.

A run keeps a folder ``run-PID-START-…`` with a line ``PID START`` in ``processes`` for each process
that it started. A process id alone proves nothing, since ids are used again; with the start time
(field 22 of ``/proc/PID/stat``, in clock ticks since boot) it names one process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path

LIST = "processes"


def start_time(pid: int) -> str | None:
    """Start time of a live process in clock ticks since boot; ``None`` if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def searchable(path: Path) -> bool:
    """Whether every user may get as far as ``path``: access(2) says so of no file below else.

    What is not there yet may be made so. Access control lists are not looked at.
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return all(
        each.stat().st_mode & stat.S_IXOTH for each in (there.resolve(), *there.resolve().parents)
        if each.is_dir()
    )  # fmt: skip


def make_folder(parent: Path) -> Path:
    """A folder for one run of this process."""
    parent.mkdir(parents=True, exist_ok=True)
    prefix = f"run-{os.getpid()}-{start_time(os.getpid())}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))


def record(folder: Path, pid: int) -> None:
    """Note that this run started process ``pid``."""
    with (folder / LIST).open("a") as file:
        file.write(f"{pid} {start_time(pid)}\n")


def clean(parent: Path) -> int:
    """Kill the processes of runs that are gone and remove their folders. Returns how many runs."""
    count = 0
    for folder in parent.glob("run-*-*-*"):
        _, pid, started, _ = folder.name.split("-", 3)
        if not pid.isdigit() or start_time(int(pid)) == started:
            continue
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
