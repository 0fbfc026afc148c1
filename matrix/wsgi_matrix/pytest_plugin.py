"""The matrix in pytest: a test item for each cell and check.

A test that asks for the fixture ``matrix_check`` is made once for each cell and check of the
selection; all cells run once, when the first of them is set up. ``matrix_across`` compares with
what other runs of the same images left (``tox -e flask,django,pyramid``: whoever comes last).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from wsgi_matrix import config, evidence, plan, suites
from wsgi_matrix.cases import registry
from wsgi_matrix.compare import CHECKS, compare
from wsgi_matrix.engines import EngineError, SetupError
from wsgi_matrix.engines.choose import NAMES, choose
from wsgi_matrix.errors import UserError
from wsgi_matrix.model import CaseResult, Cell, Outcome, Run
from wsgi_matrix.reports import console, data, markdown, red
from wsgi_matrix.runner import Runner

AXES = ("servers", "apps", "limits", "pythons")
RUN = pytest.StashKey[Run]()
NOTICE = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--matrix-…``: the selection of the command ``wsgi-matrix``."""
    group = parser.getgroup("wsgi-matrix")
    for axis in AXES:
        group.addoption(f"--matrix-{axis}", default="", metavar="NAME,...", help=f"{axis} to run")
    group.addoption("--matrix-engine", default="auto", choices=NAMES, help="engine of the cells")
    group.addoption("--matrix-jobs", default=None, type=int, help="cells at a time")
    group.addoption("--matrix-config", default="", metavar="FILE", help="default: matrix.toml")
    group.addoption("--matrix-build", default="", metavar="DIR", help="default: build/ beside it")


@dataclass(frozen=True)
class Check:
    """One check of one cell, with its result."""

    cell: str
    result: CaseResult

    def hold(self) -> None:
        """Pass, skip, or fail the test with what was found."""
        text = f"{self.cell} {self.result.id}: {self.result.detail}"
        match self.result.outcome:
            case Outcome.PASS:
                return
            case Outcome.SKIP:
                pytest.skip(text)
            case Outcome.XFAIL:
                pytest.xfail(text)
            case outcome:
                pytest.fail(f"{outcome.value}: {text}", pytrace=False)


def check_ids(cells: Sequence[Cell]) -> list[str]:
    """The checks that ``cells`` get, in the order of reports.

    Frameworks can differ only where there are several; ``matrix_across`` sees those of others.
    """
    ids = [registry.START, *(case.id for case in registry.CASES), *CHECKS]
    if len({cell.app.framework for cell in cells}) < 2:
        ids.remove("frameworks-differ")
    return ids


def _load(pytest_config: pytest.Config) -> tuple[config.Config, tuple[Cell, ...]]:
    named = pytest_config.getoption("--matrix-config")
    build = pytest_config.getoption("--matrix-build")
    try:
        file = Path(named) if named else config.find(pytest_config.rootpath)
        matrix = config.load(file, Path(build) if build else None)
        chosen = {
            axis: tuple(filter(None, pytest_config.getoption(f"--matrix-{axis}").split(",")))
            for axis in AXES
        }
        cells = plan.make_cells(matrix, plan.Selection(suites=(suites.HELLO,), **chosen))
        config.check_folders(matrix, cells)
    except UserError as problem:
        raise pytest.UsageError(f"wsgi-matrix: {problem}") from None
    return matrix, cells


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each cell and check; the plan is pure, so collecting starts nothing."""
    if "matrix_check" not in metafunc.fixturenames:
        return
    _, cells = _load(metafunc.config)
    pairs = [(cell.id, check) for cell in cells for check in check_ids(cells)]
    metafunc.parametrize(
        "matrix_check", pairs, indirect=True, ids=[f"{cell}-{check}" for cell, check in pairs]
    )


@pytest.fixture(scope="session")
def matrix_run(pytestconfig: pytest.Config) -> Run:
    """The selected cells, run once."""
    matrix, cells = _load(pytestconfig)
    try:
        engine, notice = choose(pytestconfig.getoption("--matrix-engine"), matrix.build)
        pytestconfig.stash[NOTICE] = notice
        jobs = pytestconfig.getoption("--matrix-jobs")
        with contextlib.closing(engine):
            run = Runner(cells, engine, matrix.settings, known=matrix.xfails, jobs=jobs).run()
    except (EngineError, SetupError) as problem:
        pytest.fail(f"wsgi-matrix: {problem}", pytrace=False)
    pytestconfig.stash[RUN] = run
    if run.partial:
        raise KeyboardInterrupt
    evidence.write(matrix.build, run)
    return run


@pytest.fixture
def matrix_check(request: pytest.FixtureRequest, matrix_run: Run) -> Check:
    """One check of one cell; see :meth:`Check.hold`."""
    cell_id, check_id = request.param
    result = next(result for result in matrix_run.cells if result.cell.id == cell_id)
    return Check(cell_id, next(check for check in result.checks if check.id == check_id))


@pytest.fixture(scope="session")
def matrix_across(matrix_run: Run, pytestconfig: pytest.Config) -> list[tuple[str, CaseResult]]:
    """What is red when this run is compared with all others of the same images."""
    matrix, _ = _load(pytestconfig)
    others = evidence.read_others(matrix.build, matrix_run)
    everything = replace(matrix_run, cells=compare([*matrix_run.cells, *others]))
    return [(cell, check) for cell, check in red(everything) if check.id in CHECKS]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The grid, as the command prints it."""
    run = config.stash.get(RUN, None)
    if run is None:
        return
    terminalreporter.section("wsgi-matrix")
    if notice := config.stash.get(NOTICE, ""):
        terminalreporter.write_line(notice)
    output = Console(width=max(80, terminalreporter._tw.fullwidth), no_color=True)
    with output.capture() as captured:
        console.render(run, output)
    terminalreporter.write_line(captured.get())


def pytest_unconfigure(config: pytest.Config) -> None:
    """The grid for the step summary of a CI job."""
    run = config.stash.get(RUN, None)
    if run is not None and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(data.results(run)))
