"""``wsgi-matrix run``."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType

import click

from wsgi_matrix.cli.common import (
    EPILOG,
    discard_stdout,
    engine_option,
    selection_options,
    user_errors,
    write_out,
)
from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.config import plan
from wsgi_matrix.engines.api import Engine
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.errors import UserError
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.model.outcome_semantics import exit_code, red
from wsgi_matrix.model.results import Run
from wsgi_matrix.reports import console, markdown, progress
from wsgi_matrix.reports import registry as reports
from wsgi_matrix.results import cross_run_responses, results_json
from wsgi_matrix.results.cache import Store
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites import api, registry
from wsgi_matrix.util.atomic_write import write_whole

LARGE = 2**20
"""File size in octets above which reading the file is announced."""


@click.command(epilog=EPILOG)
@selection_options
@engine_option
@click.option(
    "--jobs", type=click.IntRange(1), help="Cells to run in parallel (default: CPU count)."
)
@click.option(
    "-x", "--exitfirst", is_flag=True, help="Start no further cell after the first red one."
)
@click.option(
    "--keep",
    type=click.Choice(["failed", "all"]),
    help="Preserve the containers or files of these cells; `wsgi-matrix clean` removes them.",
)
@click.option(
    "--reuse",
    is_flag=True,
    help="Reuse the last result of a cell if its image, bundle, limits and cases are unchanged.",
)
@click.option("--dry-run", is_flag=True, help="Show what would run, without starting anything.")
@click.pass_obj
def run(
    settings: Config,
    /,
    engine: str,
    jobs: int | None,
    exitfirst: bool,
    keep: str | None,
    reuse: bool,
    dry_run: bool,
    **selection: tuple[str, ...],
) -> None:
    """Run the cells, print the grid and write the reports to build/matrix/."""
    terminable()
    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(**selection))
        config.check_directories(settings, cells)
        reports.reports()  # fails now, not after the run, if one cannot be loaded
        suites = dict.fromkeys(cell.suite for cell in cells)
        announce_large_files(settings, suites)
        sent = {name: registry.build(settings, name) for name in suites}
        chosen, notice = choose(engine, settings.build, keep=keep is not None)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        with contextlib.closing(chosen):
            if dry_run:
                write_out(_plan(cells, chosen, sent))
                return
            done = Runner(
                cells,
                chosen,
                settings.settings,
                suites=sent,
                known=settings.xfails,
                jobs=jobs,
                handlers=(progress.Progressing(),),
                exitfirst=exitfirst,
                keep=keep or "",
                store=Store(settings.build),
                reuse=reuse,
            ).run()
        directory = settings.build / "matrix"
        write_reports(directory, done)
        cross_run_responses.write(settings.build, done)
        try:
            console.render(done)
            print_report_location(directory, done)
        except BrokenPipeError:
            discard_stdout()  # results are complete and written, so the status is still theirs
        sys.exit(exit_code(done))


def _plan(cells: Sequence[Cell], engine: Engine, sent: Mapping[str, api.Suite]) -> str:
    """A line for each cell: what would be checked, or why it would be skipped."""
    lines = [f"{len(cells)} cells in {engine.where}; dry run, nothing was started"]
    for cell in cells:
        reason = engine.skip_reason(cell)
        checks = f"{len(sent[cell.suite].cases) + 1} checks of {cell.suite}"
        lines.append(f"{cell.id} {'skip: ' + reason if reason else checks}")
    return "\n".join(lines) + "\n"


def write_reports(directory: Path, done: Run) -> None:
    """Write the reports of a run to ``directory``, and the step summary if GitHub wants one."""
    value = results_json.results(done)
    for report in reports.reports():
        try:
            write_whole(directory / report.file, reports.text(report, value))
        except UserError as problem:  # the other reports can still be written
            click.echo(f"wsgi-matrix: {report.file} was not written: {problem}", err=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(value))


def announce_large_files(settings: Config, suites: Iterable[str]) -> None:
    """Announce the files of ``suites`` that take a while to read, before they are read."""
    for path in (path for name in suites for path in registry.types()[name].reads(settings)):
        if path.is_file() and (size := path.stat().st_size) > LARGE:
            click.echo(f"wsgi-matrix: reading {path} ({size / 2**20:.1f} MiB)", err=True)


def print_report_location(directory: Path, done: Run) -> None:
    """Print where the report is, and the command that shows the first red check, or else a cell."""
    if not done.cells:
        return
    with contextlib.suppress(ValueError):  # a directory elsewhere keeps its absolute path
        directory = directory.relative_to(Path.cwd())
    write_out(f"report: {directory / 'report.html'}\n")
    cell, check = next(((cell, check.id) for cell, check in red(done)), (done.cells[0].cell.id, ""))
    words = ["wsgi-matrix", "show", cell, *filter(None, [check])]
    write_out(f"details: {shlex.join([*words, '--results', str(directory / 'results.json')])}\n")


def terminable() -> None:
    """Make SIGTERM end a run gracefully."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Handle SIGTERM as Ctrl-C: cells are killed, a partial report is written."""
    raise KeyboardInterrupt
