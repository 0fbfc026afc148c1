"""The commands of a cell, built in the same way for every engine.

These are the server's command line with its environment variables, the setup commands before it,
and a command instead of it. The engine provides a :data:`Run` that executes one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

from wsgi_matrix.errors import CellError
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.axes import Cell

SETUP_DEADLINE = 300.0
"""Seconds for one setup command: migrations of a large app may be slow."""
CHECK_DEADLINE = 120.0
"""Seconds for a command that is not a server."""

VARIABLES = {
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
}
"""The same in every cell, so that the caller's environment does not affect responses."""

BUILTINS = frozenset({"cd", "export", "source", ".", "set", "alias"})
OPERATORS = frozenset({"&&", "||", "|", ";", ">", ">>", "<", "2>&1"})
"""Words that only have a meaning in a shell."""

Run = Callable[[Sequence[str], float], tuple[int | None, str]]
"""Runs a command for at most the given seconds; returns its exit status and its output."""


def server_command(
    cell: Cell, words: Sequence[str], *, folder: str, port: int, **more: str
) -> list[str]:
    """The server's ``words`` with their placeholders replaced; ``more``: the engine's own ones.

    ``folder``: the app's directory.
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
    """Run the setup commands in order. Raises :class:`CellError` for one that fails."""
    for words in commands:
        try:
            status, said = run(words, SETUP_DEADLINE)
        except CellError as problem:
            text = f"setup failed: {problem}{_advice(words, str(problem))}"
            raise CellError(text, problem.log, problem.exit_status) from problem
        if status != 0:
            text = f"setup failed: {shlex.join(words)} (exit status {status})"
            raise CellError(text, said, status)


def _advice(words: Sequence[str], problem: str) -> str:
    """A hint for a command that cannot be run because of ``problem``."""
    if re.search(r"is not executable|exec: .*: permission denied", problem):
        return f"; run chmod +x {words[0]}, or put its interpreter in front of it"
    if words[0] in BUILTINS or any(word in OPERATORS for word in words):
        return f"; it needs a shell: --setup {shlex.quote('sh -c ' + shlex.quote(' '.join(words)))}"
    return ""


def check(words: Sequence[str], python: str, run: Run) -> tuple[int | None, str]:
    """Run a command instead of the server. The word ``{python}`` is the interpreter."""
    return run([python if word == "{python}" else word for word in words], CHECK_DEADLINE)


def timed_out(words: Sequence[str], seconds: float, said: str) -> CellError:
    """The error for a command that has not ended in time."""
    return CellError(f"timed out after {seconds:g} s: {shlex.join(words)}", said)
