"""Finds zombies: processes that have exited and have not been waited for.

Standard library only, nothing of ``wsgi_matrix``: for a server in a container, this source is run
inside it, since only there pids are those of the cell.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

PATIENCE = 10.0
"""Seconds that a parent has to reap its children, since every child is briefly a zombie."""


def members(session: int | None, state: str = "") -> list[int]:
    """Pids of the processes of ``session``, or of all visible ones, in ``state`` or in any."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue  # it ended meanwhile
        its_state, _parent, _group, its_session = text.rpartition(")")[2].split()[:4]
        if state in ("", its_state) and session in (None, int(its_session)):
            found.append(int(stat.parent.name))
    return found


def settled(session: int | None, patience: float = PATIENCE) -> list[int]:
    """The zombies that remain for ``patience`` seconds; returns early if none of them is left.

    New ones may appear meanwhile, from a server whose children keep exiting.
    """
    until = time.monotonic() + patience
    left = set(members(session, "Z"))
    while left and time.monotonic() < until:
        time.sleep(0.01)
        left &= set(members(session, "Z"))
    return sorted(left)


if __name__ == "__main__":
    print(json.dumps(settled(None)))
