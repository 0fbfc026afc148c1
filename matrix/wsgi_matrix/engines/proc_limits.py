"""The kernel's word on the limits of a process: ``/proc/PID/limits`` (proc(5))."""

from __future__ import annotations

TITLES = {"nofile": "Max open files", "nproc": "Max processes"}
"""What the kernel calls the limits that a cell may have."""


def parse(text: str) -> dict[str, int | None]:
    """The limits of :data:`TITLES` that ``text`` tells, by our names for them.

    A soft limit that differs from the hard one, and "unlimited", are ``None``: nobody asked for
    that.
    """
    values: dict[str, int | None] = {}
    for line in text.splitlines():
        for name, title in TITLES.items():
            if line.startswith(title):
                soft, hard = line[len(title) :].split()[:2]
                values[name] = int(soft) if soft == hard and soft.isdigit() else None
    return values
