"""The console: progress on stderr while it runs, the result on stdout at the end."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from wsgi_matrix import events
from wsgi_matrix.model import Outcome, Run
from wsgi_matrix.reports import images, not_checked, red, short, summary, tallies, timing
from wsgi_matrix.reports.grid import MARKS, legend, make_grid

MOST_REDS = 60
"""Red checks that are shown one by one."""

STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.DIFFER: "yellow",
    Outcome.ERROR: "bold magenta",
    Outcome.XFAIL: "cyan",
    Outcome.SKIP: "dim",
}


class Progressing:
    """Handler of events: a live line on a terminal, plain lines (one a cell) everywhere else."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.live = self.console.is_terminal and not os.environ.get("CI")
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0

    def __call__(self, event: events.Event) -> None:
        """Show ``event``."""
        match event:
            case events.RunStarted(cells=cells, where=where, jobs=jobs):
                self._total = len(cells)
                self._line(f"{len(cells)} cells, {jobs} at a time, in {where}")
            case events.PhaseStarted(name="cells"):
                self._start()
            case events.PhaseNote(name=name, detail=detail):
                self._line(f"{name}: {detail}")
            case events.PhaseDone(name=name, seconds=seconds):
                if name == "cells":
                    self._stop()
                self._line(f"{name}: {seconds:.1f} s")
            case events.CellStarted(cell=cell):
                if self._progress is not None and self._task is not None:
                    self._progress.update(self._task, description=cell.id)
            case events.CellDone(result=result):
                self._done += 1
                bad = result.outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.DIFFER)
                if self._progress is not None and self._task is not None:
                    self._progress.update(self._task, completed=self._done)
                if self._progress is None or bad:
                    style = STYLES[result.outcome]
                    self._line(
                        f"[{self._done}/{self._total}] {result.cell.id} "
                        f"{result.outcome.value} {result.seconds:.2f} s",
                        style,
                    )
            case events.RunDone():
                self._stop()

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(escape(text), style=style or None, highlight=False, soft_wrap=True)

    def _start(self) -> None:
        if not self.live:
            return
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=self._total)
        self._progress.start()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def render(run: Run, console: Console | None = None) -> None:
    """Print the result: grid, legend, what is red and why, what was not judged, images, times."""
    console = console or Console(file=sys.stdout)

    def line(text: str, style: str = "") -> None:
        console.print(escape(text), style=style or None, highlight=False, soft_wrap=True)

    if run.cells:
        console.print(_table(run, console.width))
        for outcome, text in legend(run):
            line(text, STYLES[outcome])
    for title, rows in tallies(run):
        line("")
        console.print(_plain(title, rows))
    reds = red(run)
    if len(reds) > MOST_REDS:
        line("")
        line(
            f"{len(reds)} checks are red; these are the first {MOST_REDS}, all are in results.json"
        )
    for cell, check in reds[:MOST_REDS]:
        line("")
        line(
            f"{MARKS[check.outcome]} {cell} {check.id}: {check.outcome.value}",
            STYLES[check.outcome],
        )
        for part in check.detail.splitlines():
            line(f"    {part}")
    line("")
    for note in run.notes:
        line(note, "dim")
    for (check_id, reason), count in not_checked(run).items():
        line(f"{MARKS[Outcome.SKIP]} {check_id} not judged in {count} cells: {reason}", "dim")
    for whose, image, server in images(run):
        line(f"{whose}: image {short(image)}, server layer {short(server)}", "dim")
    line(f"{run.where} ({run.engine} {run.engine_version}, {run.kernel})")
    line(timing(run))
    line(summary(run), "bold")


def _plain(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(show_lines=False)
    for title in titles:
        table.add_column(title)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def _table(run: Run, width: int) -> Table:
    """The grid; turned on its side where it would not fit the terminal."""
    grid = make_grid(run)
    table = Table(show_lines=False)
    wide = 20 + sum(max(len(limits), 8) + 3 for _, limits in grid.columns)
    if wide <= width:
        table.add_column("")
        for tag, limits in grid.columns:
            table.add_column(f"{limits}\n{tag}")
        for row in grid.rows:
            squares = [_styled(grid.square(row, column)) for column in grid.columns]
            table.add_row(" ".join(row), *squares)
        return table
    table.add_column("")
    for row in grid.rows:
        table.add_column("\n".join(row))
    for column in grid.columns:
        squares = [_styled(grid.square(row, column)) for row in grid.rows]
        table.add_row(f"{column[1]} {column[0]}", *squares)
    return table


def _styled(square: str) -> str:
    if not square:
        return ""
    return f"[{STYLES[Outcome(square.rsplit(maxsplit=1)[-1])]}]{escape(square)}[/]"
