"""``show``, ``compare`` and ``report``: what can be asked of a run that has ended."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wsgi_matrix.cli import completion, run_directories
from wsgi_matrix.cli.common import Names, user_errors, write_out
from wsgi_matrix.engines import choose
from wsgi_matrix.engines.registry import ENGINES
from wsgi_matrix.errors import EngineError, Exit, UserError, suggestion
from wsgi_matrix.reports import registry
from wsgi_matrix.reports import show as showing
from wsgi_matrix.results import diff, results_reader
from wsgi_matrix.util.atomic_write import write_whole

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("cell", shell_complete=completion.cells_of_results)
@click.argument("check", default="")
@click.option("--results", type=FILE, help="By default that of the last run or `try`.")
@click.pass_context
def show(ctx: click.Context, cell: str, check: str, results: Path | None) -> None:
    """Show the evidence of CELL, or of one CHECK of it: octets on the wire, verdicts, the log.

    What was kept of it (`run --keep`) is looked up in the engine.
    """
    with user_errors():
        value, which = run_directories.read(ctx, results)
        try:
            found = results_reader.cell_of(value, cell)
            others = {each["id"]: each for each in value["cells"]}
            text = showing.render(found, check, others)
        except UserError as problem:
            raise UserError(f"{problem} ({which})" if which else str(problem)) from None
        _tell(which)
        write_out(text)
        if found["kept"]:
            write_out(_kept(found))


def _tell(which: str) -> None:
    """Say on stderr which results were read, where none were named."""
    if which:
        click.echo(f"wsgi-matrix: {which}", err=True)


def _kept(cell: results_reader.Value) -> str:
    """What the engine says of what was kept."""
    try:
        choose.check(cell["engine"])
        return f"\n== kept\n{ENGINES[cell['engine']].inspect(cell['kept'])}"
    except (EngineError, UserError) as problem:
        return f"\n== kept\n{' '.join(cell['kept'])}, of which nothing can be told: {problem}\n"


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
def compare(before: Path, after: Path) -> None:
    """Show what changed from the results.json BEFORE to AFTER.

    Verdicts, answers (Date masked) and cells decide the exit code: 0 if all are the same, else 1.
    Versions and times are told beside them.
    """
    with user_errors():
        found = diff.find(results_reader.read(before), results_reader.read(after))
        write_out(diff.render(found))
        sys.exit(Exit.FAILED if found else Exit.OK)


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "--format",
    "names",
    type=Names(),
    default="markdown",
    show_default=True,
    help=f"Of {', '.join(registry.REPORTS)}.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File, or folder where it is several formats; by default stdout.",
)
@click.pass_context
def report(
    ctx: click.Context, file: Path | None, names: tuple[str, ...], output: Path | None
) -> None:
    """Write reports of the results.json FILE, by default that of the last run or `try`."""
    with user_errors():
        for name in names:
            if name not in registry.REPORTS:
                raise UserError(f'--format: no "{name}"{suggestion(name, registry.REPORTS)}')
        if len(names) > 1 and (output is None or output.is_file()):
            raise UserError("--format names several; name a folder for them with --output")
        value, which = run_directories.read(ctx, file)
        _tell(which)
        for made in (registry.REPORTS[name] for name in names):
            text = registry.text(made, value)
            if output is None:
                write_out(text)
            else:
                folder = len(names) > 1 or output.is_dir()
                write_whole(output / made.file if folder else output, text)
