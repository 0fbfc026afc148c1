"""Processes that ended and that nobody has waited for.

Standard library only, nothing of ``wsgi_matrix``: where a server runs in a container this text is
run inside, for only there the process ids are those of the cell.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

PATIENCE = 2.0
"""Seconds that a parent has to wait for its children: all have been zombies for a moment."""


def members(session: int | None, state: str = "") -> list[int]:
    """Ids of the processes of ``session``, or of all that can be seen, in ``state`` or in any."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue  # it ended while we looked
        its_state, _parent, _group, its_session = text.rpartition(")")[2].split()[:4]
        if state in ("", its_state) and session in (None, int(its_session)):
            found.append(int(stat.parent.name))
    return found


def settled(session: int | None, patience: float = PATIENCE) -> list[int]:
    """The zombies that are left after ``patience`` seconds, or none as soon as there is none."""
    until = time.monotonic() + patience
    while (found := members(session, "Z")) and time.monotonic() < until:
        time.sleep(0.01)
    return found


if __name__ == "__main__":
    print(json.dumps(settled(None)))
