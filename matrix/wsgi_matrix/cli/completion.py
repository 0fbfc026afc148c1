"""Shell completion: ids of cells and names on the axes, from the current matrix.

click generates the scripts (``_WSGI_MATRIX_COMPLETE=bash_source wsgi-matrix``) and calls these
functions. A file that cannot be read gives no completions; the command itself reports the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from wsgi_matrix.cli import run_directories
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.errors import UserError
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.results import results_reader

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _matrix(ctx: click.Context) -> Config | None:
    options = ctx.find_root().params
    try:
        file = options.get("file") or matrix_toml.find(Path.cwd())
        return matrix_toml.load(file, options.get("build"))
    except UserError:
        return None


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def of_axis(names: Callable[[Config], Iterable[str]]) -> Completer:
    """A completer of the last name in a comma-separated list."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        matrix = _matrix(ctx)
        before, comma, last = incomplete.rpartition(",")
        there = [*names(matrix), "all"] if matrix else []
        return _items((f"{before}{comma}{name}" for name in there), before + comma + last)

    return complete


def cells(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the ids of cells in the suites given so far."""
    matrix = _matrix(ctx)
    try:
        wanted = plan.Selection(suites=ctx.params.get("suites") or ())
        found = plan.make_cells(matrix, wanted) if matrix else ()
    except UserError:
        return []
    return _items((cell.id for cell in found), incomplete)


def cells_of_results(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the ids of cells in the file ``--results``, or in the last run."""
    try:
        value = results_reader.read(ctx.params.get("results") or run_directories.last(ctx))
    except UserError:
        return []
    return _items((cell["id"] for cell in value["cells"]), incomplete)
