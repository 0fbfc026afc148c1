"""The suite ``hello``, the matrix of limits: two requests and a burst."""

from __future__ import annotations

from collections.abc import Sequence

from wsgi_matrix.model.axes import DEFAULT_SUITE, Cell
from wsgi_matrix.suites import cell_checks
from wsgi_matrix.suites.api import Layout, Suite, SuiteType
from wsgi_matrix.suites.case import REQUESTS, Case
from wsgi_matrix.suites.hello import checks
from wsgi_matrix.suites.hello.majority_comparison import CHECKS, OF_SEVERAL, compare

NAME = DEFAULT_SUITE
CASES: tuple[Case, ...] = (
    cell_checks.LIMITS,
    *checks.CASES,
    cell_checks.UNCHANGED,
    cell_checks.REAPED,
    cell_checks.CLEAN_EXIT,
)


def suite() -> Suite:
    """The suite."""
    return Suite(
        name=NAME, requests=REQUESTS, cases=CASES, compare=compare, added=added, burst=True
    )


def added(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Frameworks can only differ if there are several; other runs may have others."""
    several = len({cell.app.framework for cell in cells}) > 1
    return tuple(each for each in CHECKS if several or each not in OF_SEVERAL)


TYPE = SuiteType(
    name=NAME,
    about="Two requests and a burst of clients, under each profile of limits.",
    title="Limits: every framework under each profile",
    caption="Cells by outcome, over all profiles of limits and all Pythons.",
    layout=Layout.CELLS_BY_APP,
    build=lambda _config: suite(),
    cross_run=True,
    tallied=False,
)
