"""Processes that ended and that nobody has waited for.

Standard library only, nothing of ``wsgi_matrix``: where a server runs in a container this text is
run inside, for only there the process ids are those of the cell.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

PATIENCE = 10.0
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
    """The zombies that stay such for ``patience`` seconds; none as soon as none of them is left.

    Others may come meanwhile, from a server whose children end again and again.
    """
    until = time.monotonic() + patience
    left = set(members(session, "Z"))
    while left and time.monotonic() < until:
        time.sleep(0.01)
        left &= set(members(session, "Z"))
    return sorted(left)


if __name__ == "__main__":
    print(json.dumps(settled(None)))
