"""What is executed in a cell, put together in the same way by every engine.

That is the server's command line, the variables around it, the set-up commands before it and a
command in its place. How one of them is run is the engine's: a :data:`Run`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

from wsgi_matrix.errors import CellError
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.axes import Cell

SETUP_DEADLINE = 300.0
"""Seconds for one set-up command: migrations of a large app take their time."""
CHECK_DEADLINE = 120.0
"""Seconds for a command that is no server."""

VARIABLES = {
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
}
"""The same in every cell: what the caller has set must not change an answer."""

BUILTINS = frozenset({"cd", "export", "source", ".", "set", "alias"})
OPERATORS = frozenset({"&&", "||", "|", ";", ">", ">>", "<", "2>&1"})
"""What only a shell understands."""

Run = Callable[[Sequence[str], float], tuple[int | None, str]]
"""Runs a command to its end in so many seconds: its exit status, and what it wrote."""


def server_command(
    cell: Cell, words: Sequence[str], *, folder: str, port: int, **more: str
) -> list[str]:
    """``words`` of the server with their placeholders filled in; ``more``: the engine's own.

    ``folder``: where the app is.
    """
    values = {
        "app": app_import_string.loaded(cell.app.target),
        "folder": folder,
        "port": str(port),
        "threads": str(cell.server.threads),
        "workers": str(cell.server.workers),
        **more,
    }
    return [word.format_map(values) for word in words]


def set_up(commands: Sequence[Sequence[str]], run: Run) -> None:
    """Run the set-up commands, one after another. Raises :class:`CellError` for one that fails."""
    for words in commands:
        try:
            status, said = run(words, SETUP_DEADLINE)
        except CellError as problem:
            text = f"set-up failed: {problem}{_advice(words, str(problem))}"
            raise CellError(text, problem.log, problem.exit_status) from problem
        if status != 0:
            text = f"set-up failed: {shlex.join(words)} (exit status {status})"
            raise CellError(text, said, status)


def _advice(words: Sequence[str], problem: str) -> str:
    """What to do about a command that cannot be run because of ``problem``."""
    if re.search(r"is not executable|exec: .*: permission denied", problem):
        return f"; chmod +x {words[0]}, or name its interpreter before it"
    if words[0] in BUILTINS or any(word in OPERATORS for word in words):
        return f"; no shell runs it: --setup {shlex.quote('sh -c ' + shlex.quote(' '.join(words)))}"
    return ""


def check(words: Sequence[str], python: str, run: Run) -> tuple[int | None, str]:
    """Run a command in place of the server. The word ``{python}`` is the interpreter."""
    return run([python if word == "{python}" else word for word in words], CHECK_DEADLINE)


def not_done(words: Sequence[str], seconds: float, said: str) -> CellError:
    """What to raise where a command has not ended in time."""
    return CellError(f"not done after {seconds:g} s: {shlex.join(words)}", said)
