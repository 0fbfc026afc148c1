"""What the kernel says of processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path


def state(pid: int) -> str:
    """The letter of its state; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def running(pid: int) -> bool:
    """Whether there is such a process that is not a zombie."""
    return state(pid) not in ("", "Z")


def children(pid: int) -> dict[int, str]:
    """The state of each child process: R, S, Z and so on; empty if there is no such process."""
    found = {}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has ended meanwhile
                for child in (task / "children").read_text().split():
                    found[int(child)] = state(int(child))
    return {child: letter for child, letter in found.items() if letter}


def by_age(pids: Iterable[int]) -> list[int]:
    """Those of the processes that exist, the oldest first.

    Their numbers do not tell: these begin anew at some time.
    """
    began = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            began[pid] = int(fields[19]), pid
    return sorted(began, key=began.__getitem__)


def parent(pid: int) -> int:
    """The process that has it as its child."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def descriptors(pid: int) -> int:
    """How many it has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def resident(pid: int) -> int:
    """KiB of memory, without what it shares with others."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(fields["RssAnon"].split()[0])


def processor_seconds(pid: int) -> float:
    """Seconds that it has used, itself and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
