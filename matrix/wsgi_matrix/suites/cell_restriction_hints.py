"""Hints for errors that are caused by the restrictions of a cell, not by the app."""

from __future__ import annotations

import re

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"unable to open database file|attempt to write a readonly database"
        r"|Read-only file system|Permission denied|Errno 13\b|Errno 30\b",
        "a cell can only write to the directory {writable}, which --writable /data adds; "
        "configure the app to use it, as in --env DATABASE={writable}/db.sqlite3",
    ),
)


def advice(said: str) -> str:
    """A hint for the output of an app or a command; empty if none matches."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, said)), "")
