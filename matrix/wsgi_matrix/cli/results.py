"""``show``, ``compare`` and ``report``: commands that read the results of finished runs."""

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
@click.option("--results", type=FILE, help="Results file (default: of the last run or `try`).")
@click.pass_context
def show(ctx: click.Context, cell: str, check: str, results: Path | None) -> None:
    """Show the evidence of CELL, or of one CHECK of it: octets on the wire, verdicts, log.

    If its container was preserved (`run --keep`), show what the engine says about it.
    """
    with user_errors():
        value, which = run_directories.read(ctx, results)
        try:
            found = results_reader.cell_of(value, cell)
            others = {each["id"]: each for each in value["cells"]}
            text = showing.render(found, check, others)
        except UserError as problem:
            raise UserError(f"{problem} ({which})" if which else str(problem)) from None
        _print_source(which)
        write_out(text)
        if found["kept"]:
            write_out(_kept(found))


def _print_source(which: str) -> None:
    """Print to stderr which results were read, if no file was given."""
    if which:
        click.echo(f"wsgi-matrix: {which}", err=True)


def _kept(cell: results_reader.Value) -> str:
    """What the engine says about a preserved container or process."""
    try:
        choose.check(cell["engine"])
        return f"\n== preserved\n{ENGINES[cell['engine']].inspect(cell['kept'])}"
    except (EngineError, UserError) as problem:
        return f"\n== preserved\n{' '.join(cell['kept'])}: cannot be inspected: {problem}\n"


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
def compare(before: Path, after: Path) -> None:
    """Show what changed between the results.json files BEFORE and AFTER.

    Exits with 0 if verdicts, responses (Date masked) and cells are the same, else 1. Changed
    versions and times are shown, but do not count.
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
    help=f"One or more of {', '.join(registry.REPORTS)}.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File, or a directory for several formats (default: stdout).",
)
@click.pass_context
def report(
    ctx: click.Context, file: Path | None, names: tuple[str, ...], output: Path | None
) -> None:
    """Write reports from the results.json FILE (default: of the last run or `try`)."""
    with user_errors():
        for name in names:
            if name not in registry.REPORTS:
                raise UserError(f'--format: no "{name}"{suggestion(name, registry.REPORTS)}')
        if len(names) > 1 and (output is None or output.is_file()):
            raise UserError("several formats need a directory: --output DIRECTORY")
        value, which = run_directories.read(ctx, file)
        _print_source(which)
        for made in (registry.REPORTS[name] for name in names):
            text = registry.text(made, value)
            if output is None:
                write_out(text)
            else:
                directory = len(names) > 1 or output.is_dir()
                write_whole(output / made.file if directory else output, text)
