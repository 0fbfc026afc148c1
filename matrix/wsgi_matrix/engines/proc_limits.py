"""Parses the limits of a process in ``/proc/PID/limits`` (proc(5))."""

from __future__ import annotations

TITLES = {"nofile": "Max open files", "nproc": "Max processes"}
"""The kernel's names of the limits that a cell may have."""


def parse(text: str) -> dict[str, int | None]:
    """The limits of :data:`TITLES` in ``text``, by wsgi-matrix's names.

    A soft limit that differs from the hard one, and "unlimited", are ``None``, because they cannot
    have been requested.
    """
    values: dict[str, int | None] = {}
    for line in text.splitlines():
        for name, title in TITLES.items():
            if line.startswith(title):
                soft, hard = line[len(title) :].split()[:2]
                values[name] = int(soft) if soft == hard and soft.isdigit() else None
    return values
