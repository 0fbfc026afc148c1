"""Whether other users get at a path."""

from __future__ import annotations

import stat
from pathlib import Path


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
