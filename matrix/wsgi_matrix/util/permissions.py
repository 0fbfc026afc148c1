"""Whether other users can reach a path."""

from __future__ import annotations

import stat
from pathlib import Path


def searchable(path: Path) -> bool:
    """Whether every user may search the directories to ``path``, as access(2) requires below it.

    Directories that do not exist yet are ignored, as are access control lists.
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return all(
        each.stat().st_mode & stat.S_IXOTH for each in (there.resolve(), *there.resolve().parents)
        if each.is_dir()
    )  # fmt: skip
