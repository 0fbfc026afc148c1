"""Exit codes, the errors of a user, and those of engines and cells.

The text of each is one line that says what, where and what to do.
"""

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


class EngineError(Exception):
    """No usable engine (exit code 4). The text says what was tried and what to do."""


class SetupError(Exception):
    """An image, bundle or volume could not be made (exit code 5)."""


class NotHere(Exception):  # noqa: N818 - no error: the cell is skipped
    """What a cell asks for cannot be had on this machine: it is a skip, with this reason."""


class CellError(Exception):
    """A cell could not be judged. ``log`` holds the server's last lines."""

    def __init__(self, message: str, log: str = "", exit_status: int | None = None) -> None:
        super().__init__(message)
        self.log = log
        self.exit_status = exit_status


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for a near miss, else the list of what there is."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; there is: {', '.join(known)}" if known else ""
