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
    Outcome.ERROR: "could not be checked",
    Outcome.XFAIL: "known: allowed by an [[xfail]], or changed by the app itself",
    Outcome.SKIP: "not run, with a reason",
}


@dataclass(frozen=True)
class Grid:
    """Rows by (server, app), columns by (Python, limits), and the results of the cells."""

    rows: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    squares: dict[tuple[tuple[str, str], tuple[str, str]], CellResult]

    def square(self, row: tuple[str, str], column: tuple[str, str]) -> str:
        """Mark and word of a square, never just a colour or a mark. Empty if there is no cell."""
        result = self.squares.get((row, column))
        return f"{MARKS[result.outcome]} {result.outcome.value}" if result else ""


def place(cell: Cell) -> tuple[tuple[str, str], tuple[str, str]]:
    """Row and column of ``cell``. A suite that its app does not imply has rows of its own."""
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
    """The meaning of the marks that occur in ``run``."""
    there = {result.outcome for result in run.cells}
    return [
        (outcome, f"{MARKS[outcome]} {LEGEND[outcome]}") for outcome in MARKS if outcome in there
    ]
