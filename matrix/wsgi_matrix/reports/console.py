"""The result of a run on stdout; its progress is shown by :mod:`wsgi_matrix.reports.progress`."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wsgi_matrix.engines.registry import ENGINES
from wsgi_matrix.model.outcome_semantics import red
from wsgi_matrix.model.results import Outcome, Run
from wsgi_matrix.reports import http_status_counts, not_checked, ran, summary, tallies, timing
from wsgi_matrix.reports.grid import MARKS, legend, make_grid

MOST_REDS = 60
"""Maximum number of red checks shown."""

STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.DIFFER: "yellow",
    Outcome.ERROR: "bold magenta",
    Outcome.XFAIL: "cyan",
    Outcome.SKIP: "dim",
}


class Output(Console):
    """A console that raises an error when its pipe is closed, where Rich would exit."""

    def on_broken_pipe(self) -> None:
        """Raise ``BrokenPipeError``."""
        raise BrokenPipeError


def render(run: Run, console: Console | None = None) -> None:
    """Print the result: grid, legend, red checks with details, skipped checks, images, times."""
    console = console or Output(file=sys.stdout)

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
        line(f"{len(reds)} checks are red; the first {MOST_REDS} follow, results.json has all")
    for cell, check in reds[:MOST_REDS]:
        line("")
        line(
            f"{MARKS[check.outcome]} {cell} {check.name}: {check.outcome.value}",
            STYLES[check.outcome],
        )
        if check.title:
            line(f"    {check.title} ({check.level.value}, {check.cite})")
        for part in check.explanation().splitlines():
            line(f"    {part}")
    line("")
    for each in http_status_counts.lines(run):
        line(each.text, "yellow" if each.warning else "")
    for note in run.notes:
        line(note, "dim")
    for (check_id, reason), count in not_checked(run).items():
        cells = f"{count} cell{'s'[: count > 1]}"
        line(f"{MARKS[Outcome.SKIP]} {check_id} skipped in {cells}: {reason}", "dim")
    kept = [result for result in run.cells if result.kept]
    for result in kept:
        line(f"preserved {result.cell.id}: {_look(run.engine, result.kept)}")
    if kept:
        line("`wsgi-matrix show CELL` shows details, `wsgi-matrix clean` removes them")
    for text in ran(run).lines():
        line(text, "dim")
    line(f"{run.where} ({run.engine} {run.engine_version}, {run.kernel})")
    line(timing(run))
    line(summary(run), "bold")


def _look(engine: str, kept: tuple[str, ...]) -> str:
    """How to inspect what was preserved."""
    return ENGINES[engine].look(kept) if engine in ENGINES else " ".join(kept)


def _plain(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(show_lines=False)
    for title in titles:
        table.add_column(title)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def _table(run: Run, width: int) -> Table:
    """The grid; transposed if it would not fit the terminal."""
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
