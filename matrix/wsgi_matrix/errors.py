"""Exit codes, and the errors of a user: each is one line that says what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """The documented exit codes of ``wsgi-matrix``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOTHING_SELECTED = 3
    NO_ENGINE = 4
    SETUP = 5
    INTERRUPTED = 130


EXIT_CODES = {
    Exit.OK: "all as expected",
    Exit.FAILED: "a cell failed, or differs",
    Exit.USAGE: "usage or configuration",
    Exit.NOTHING_SELECTED: "nothing selected, or nothing selected can run here",
    Exit.NO_ENGINE: "no usable engine, or it went away; then a partial report is written",
    Exit.SETUP: "a cell could not be set up or judged",
    Exit.INTERRUPTED: "interrupted; a partial report is written",
}


class UserError(Exception):
    """What the user asked for cannot be done. ``str()`` is the one line to print."""

    exit_code = Exit.USAGE


class ConfigError(UserError):
    """The configuration file is wrong; the text names file and key."""


class NothingSelected(UserError):  # noqa: N818 - it is a result of a selection, named for it
    """The selection leaves no cell."""

    exit_code = Exit.NOTHING_SELECTED


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for a near miss, else the list of what there is."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; there is: {', '.join(known)}" if known else ""
