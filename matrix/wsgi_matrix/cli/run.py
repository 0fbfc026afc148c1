"""``wsgi-matrix run``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from wsgi_matrix import config, evidence, plan, suites
from wsgi_matrix.cli.common import EPILOG, engine_option, selection_options, user_errors
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.files import write_whole
from wsgi_matrix.model import Run
from wsgi_matrix.reports import console, data, exit_code, files, markdown
from wsgi_matrix.runner import Runner


@click.command(epilog=EPILOG)
@selection_options
@engine_option
@click.option("--jobs", type=click.IntRange(1), help="Cells at a time; by default the cores.")
@click.pass_obj
def run(
    settings: config.Config,
    /,
    engine: str,
    jobs: int | None,
    **selection: tuple[str, ...],
) -> None:
    """Run the cells, print the grid, write the reports to build/matrix/."""
    terminable()
    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(**selection))
        config.check_folders(settings, cells)
        sent = {
            name: suites.choose(settings, name)
            for name in dict.fromkeys(cell.suite for cell in cells)
        }
        chosen, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        handlers = (console.Progressing(),)
        with contextlib.closing(chosen):
            done = Runner(
                cells,
                chosen,
                settings.settings,
                suites=sent,
                known=settings.xfails,
                jobs=jobs,
                handlers=handlers,
            ).run()
        write_down(settings, done)
        console.render(done)
        sys.exit(exit_code(done))


def write_down(settings: config.Config, done: Run) -> None:
    """Write down what a run found."""
    value = data.results(done)
    for name, text in files.rendered(value):
        write_whole(settings.build / "matrix" / name, text)
    evidence.write(settings.build, done)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(value))


def terminable() -> None:
    """Let SIGTERM end a run in order."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a run as Ctrl-C does: cells are killed, the partial report is written."""
    raise KeyboardInterrupt
