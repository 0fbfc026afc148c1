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
    deaf,
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
from wsgi_matrix.model.outcomes import exit_code, red
from wsgi_matrix.model.results import Run
from wsgi_matrix.reports import console, markdown, progress
from wsgi_matrix.reports import registry as reports
from wsgi_matrix.results import evidence_files, json_file
from wsgi_matrix.results.cache import Store
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites import api, registry
from wsgi_matrix.util.atomic_write import write_whole

LARGE = 2**20
"""Octets of a file above which people are told that it is read."""


@click.command(epilog=EPILOG)
@selection_options
@engine_option
@click.option("--jobs", type=click.IntRange(1), help="Cells at a time; by default the cores.")
@click.option("-x", "--exitfirst", is_flag=True, help="Begin no cell after the first red one.")
@click.option(
    "--keep",
    type=click.Choice(["failed", "all"]),
    help="Leave what is left of these cells, to look at; `wsgi-matrix clean` removes it.",
)
@click.option(
    "--reuse",
    is_flag=True,
    help="Take the last result of a cell whose image, bundle, limits and cases are unchanged.",
)
@click.option("--dry-run", is_flag=True, help="Show what would run, and start nothing.")
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
    """Run the cells, print the grid, write the reports to build/matrix/."""
    terminable()
    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(**selection))
        config.check_folders(settings, cells)
        reports.reports()  # one that cannot be loaded is told now, not after the run
        suites = dict.fromkeys(cell.suite for cell in cells)
        tell_reading(settings, suites)
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
        folder = settings.build / "matrix"
        write_down(folder, done)
        evidence_files.write(settings.build, done)
        try:
            console.render(done)
            tell_report(folder, done)
        except BrokenPipeError:
            deaf()  # all is judged and written: what the run amounts to is still the status
        sys.exit(exit_code(done))


def _plan(cells: Sequence[Cell], engine: Engine, sent: Mapping[str, api.Suite]) -> str:
    """A line for each cell: what would be judged, or why it would be skipped."""
    lines = [f"{len(cells)} cells in {engine.where}; this is a plan, nothing was started"]
    for cell in cells:
        reason = engine.skip_reason(cell)
        checks = f"{len(sent[cell.suite].cases) + 1} checks of {cell.suite}"
        lines.append(f"{cell.id} {'skip: ' + reason if reason else checks}")
    return "\n".join(lines) + "\n"


def write_down(folder: Path, done: Run) -> None:
    """Write down in ``folder`` what a run found."""
    value = json_file.results(done)
    for report in reports.reports():
        try:
            write_whole(folder / report.file, reports.text(report, value))
        except UserError as problem:  # the others are as good as ever
            click.echo(f"wsgi-matrix: no {report.file}: {problem}", err=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(value))


def tell_reading(settings: Config, suites: Iterable[str]) -> None:
    """Say which files of ``suites`` take a while to read, before they are read."""
    for path in (path for name in suites for path in registry.types()[name].reads(settings)):
        if path.is_file() and (size := path.stat().st_size) > LARGE:
            click.echo(f"wsgi-matrix: reading {path} ({size / 2**20:.1f} MiB)", err=True)


def tell_report(folder: Path, done: Run) -> None:
    """The last lines: where the report is, and how to look at what is red, else at a cell."""
    if not done.cells:
        return
    write_out(f"report: {folder / 'report.html'}\n")
    cell, check = next(((cell, check.id) for cell, check in red(done)), (done.cells[0].cell.id, ""))
    words = ["wsgi-matrix", "show", cell, *filter(None, [check])]
    write_out(f"look closer: {shlex.join([*words, '--results', str(folder / 'results.json')])}\n")


def terminable() -> None:
    """Let SIGTERM end a run in order."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a run as Ctrl-C does: cells are killed, the partial report is written."""
    raise KeyboardInterrupt
