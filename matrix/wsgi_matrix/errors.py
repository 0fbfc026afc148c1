"""Exit codes, and the errors of users, engines and cells.

The text of an error is one line that says what is wrong, where, and what to do.
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
    Exit.FAILED: "a cell failed, or differs from the reference",
    Exit.USAGE: "usage or configuration error",
    Exit.NOTHING_SELECTED: "nothing selected, or nothing selected can run here",
    Exit.NO_ENGINE: "no usable engine, or it became unavailable; a partial report is written then",
    Exit.SETUP: "a cell could not be set up or checked",
    Exit.INTERRUPTED: "interrupted; a partial report is written",
}


class UserError(Exception):
    """A request of the user cannot be fulfilled. ``str()`` is the one line to print."""

    exit_code = Exit.USAGE


class ConfigError(UserError):
    """The configuration is invalid; the text names file and key."""


class NothingSelected(UserError):  # noqa: N818 - the result of a selection
    """No cell matches the selection."""

    exit_code = Exit.NOTHING_SELECTED


class EngineError(Exception):
    """No engine is usable (exit code 4). The text says what was tried and what to do."""


class SetupError(Exception):
    """An image, bundle or volume could not be created (exit code 5)."""


class NotHere(Exception):  # noqa: N818 - not an error: the cell is skipped
    """This host cannot provide what a cell needs; the cell is skipped, with this reason."""


class CellError(Exception):
    """A cell could not be checked. ``log`` holds the last lines of the server's log."""

    def __init__(self, message: str, log: str = "", exit_status: int | None = None) -> None:
        super().__init__(message)
        self.log = log
        self.exit_status = exit_status


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for a near miss, else the list of ``known`` names."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; choose from: {', '.join(known)}" if known else ""
