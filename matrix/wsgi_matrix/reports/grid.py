"""The grid: servers and apps down, Pythons and limits across; a square is an outcome."""

from __future__ import annotations

from dataclasses import dataclass

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CellResult, Outcome, Run

MARKS = {
    Outcome.PASS: "✔",
    Outcome.FAIL: "✘",
    Outcome.DIFFER: "≠",
    Outcome.ERROR: "!",
    Outcome.XFAIL: "x",
    Outcome.SKIP: "–",
}
LEGEND = {
    Outcome.PASS: "all runnable checks passed",
    Outcome.FAIL: "a check failed",
    Outcome.DIFFER: "not the same as the reference",
    Outcome.ERROR: "could not be judged",
    Outcome.XFAIL: "known: an [[xfail]] names it, or the app changes it by itself",
    Outcome.SKIP: "not run, with a reason",
}


@dataclass(frozen=True)
class Grid:
    """Rows by (server, app), columns by (Python, limits), and the results that are there."""

    rows: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    squares: dict[tuple[tuple[str, str], tuple[str, str]], CellResult]

    def square(self, row: tuple[str, str], column: tuple[str, str]) -> str:
        """Mark and word of a square: never a colour or a mark alone. Empty if there is no cell."""
        result = self.squares.get((row, column))
        return f"{MARKS[result.outcome]} {result.outcome.value}" if result else ""


def place(cell: Cell) -> tuple[tuple[str, str], tuple[str, str]]:
    """Row and column of ``cell``. A suite that its app does not tell has rows of its own."""
    app = f"{cell.app.name} {cell.suite_label}".rstrip()
    return (cell.server.name, app), (cell.python.tag, cell.limits.name)


def make_grid(run: Run) -> Grid:
    """The grid of ``run``, in the order of its cells."""
    squares = {place(r.cell): r for r in run.cells}
    return Grid(
        rows=tuple(dict.fromkeys(row for row, _ in squares)),
        columns=tuple(dict.fromkeys(column for _, column in squares)),
        squares=squares,
    )


def legend(run: Run) -> list[tuple[Outcome, str]]:
    """What the marks that occur in ``run`` mean."""
    there = {result.outcome for result in run.cells}
    return [
        (outcome, f"{MARKS[outcome]} {LEGEND[outcome]}") for outcome in MARKS if outcome in there
    ]
