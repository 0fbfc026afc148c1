"""What to do about errors that come of what a cell is, and not of the app."""

from __future__ import annotations

import re

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"unable to open database file|attempt to write a readonly database"
        r"|Read-only file system|Permission denied|Errno 13\b|Errno 30\b",
        "a cell has one folder that it may write, {writable}, for which --writable /data asks: "
        "name it where the app is told of its files, --env DATABASE={writable}/db.sqlite3",
    ),
)


def advice(said: str) -> str:
    """What to do about what an app or a command ``said``; empty where nothing is known."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, said)), "")
