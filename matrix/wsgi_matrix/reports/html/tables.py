"""The grid of the page: servers as rows, apps as columns, with a link for each cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from wsgi_matrix.model.outcome_semantics import RED
from wsgi_matrix.model.results import CellResult, Run
from wsgi_matrix.reports.grid import MARKS
from wsgi_matrix.suites import registry

JOINT = "suites with apps of their own"
"""Title of the table for suites with one or two columns."""


@dataclass(frozen=True)
class Square:
    """A cell in the grid."""

    index: int
    """The position of the cell in the run."""
    cell: CellResult
    mark: str
    label: str
    """Limits and Python, if the table has several of them."""
    href: str
    counted: str
    """``3 of 170``: number of checks with the outcome of the cell, if it is red."""


@dataclass(frozen=True)
class Table:
    """A suite, or all suites with one or two apps of their own."""

    title: str
    says: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    """Suite and app."""
    versions: dict[str, str]
    """Version of the framework by app, if it is the same in all cells."""
    rows: tuple[str, ...]
    squares: dict[tuple[str, tuple[str, str]], tuple[Square, ...]]


def tables(run: Run) -> list[Table]:
    """The tables of ``run``, in the order of its suites."""
    numbered = list(enumerate(run.cells))
    groups: dict[str, list[tuple[int, CellResult]]] = {}
    for index, result in numbered:
        suite = result.cell.suite
        kind = registry.types().get(suite)
        title = JOINT if kind is not None and 1 <= len(kind.apps) <= 2 else suite
        groups.setdefault(title, []).append((index, result))
    return [_table(title, results) for title, results in groups.items()]


def _table(title: str, results: list[tuple[int, CellResult]]) -> Table:
    limits = len({r.cell.limits.name for _, r in results}) > 1
    pythons = len({r.cell.python.version for _, r in results}) > 1
    found: dict[tuple[str, tuple[str, str]], list[Square]] = {}
    versions: dict[str, set[str]] = {}
    for index, result in results:
        cell = result.cell
        place = (cell.server.name, (cell.suite, cell.app.name))
        found.setdefault(place, []).append(_square(index, result, limits, pythons))
        if result.framework_version:
            versions.setdefault(cell.app.name, set()).add(result.framework_version)
    kinds, suites = registry.types(), dict.fromkeys(r.cell.suite for _, r in results)
    return Table(
        title=title,
        says=tuple(kinds[suite].about for suite in suites if suite in kinds),
        columns=tuple(dict.fromkeys(column for _, column in found)),
        versions={app: min(seen) for app, seen in versions.items() if len(seen) == 1},
        rows=tuple(dict.fromkeys(row for row, _ in found)),
        squares={place: tuple(squares) for place, squares in found.items()},
    )


def _square(index: int, result: CellResult, limits: bool, pythons: bool) -> Square:
    cell = result.cell
    label = [cell.limits.name] * limits + [cell.python.version] * pythons
    counted = Counter(check.outcome for check in result.checks)[result.outcome]
    return Square(
        index=index,
        cell=result,
        mark=MARKS[result.outcome],
        label=" ".join(label),
        href="#" + urlencode({"view": "cell", "cell": cell.id}),
        counted=f"{counted} of {len(result.checks)}" if result.outcome in RED else "",
    )
