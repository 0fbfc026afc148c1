"""The matrix in pytest: a test item for each cell and check.

``pytest --matrix`` makes the items by itself; docs/pytest.md is for those who use it. A test that
asks for the fixture ``matrix_check`` is made once for each cell and check of the
selection; all cells run once, when the first of them is set up. ``matrix_across`` compares with
what other runs of the same images left (``tox -e flask,django,pyramid``: whoever comes last).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from wsgi_matrix import config, evidence, plan, suites
from wsgi_matrix.cases import registry
from wsgi_matrix.cases.registry import overall
from wsgi_matrix.compare import CHECKS, compare
from wsgi_matrix.engines import EngineError, SetupError
from wsgi_matrix.engines.choose import NAMES, choose
from wsgi_matrix.errors import UserError
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CaseResult, Level, Outcome, Run
from wsgi_matrix.reports import console, data, markdown, red
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.settings import Config

AXES = ("servers", "apps", "limits", "pythons")
COMPARISON = "comparison"
"""Item that holds every check that a suite adds by comparing cells."""
RUN = pytest.StashKey[Run]()
NOTICE = pytest.StashKey[str]()
PROBLEM = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--matrix-…``: the selection of the command ``wsgi-matrix``."""
    group = parser.getgroup("wsgi-matrix")
    text = "run the matrix too: an item for each cell and check"
    group.addoption("--matrix", action="store_true", help=text)
    for name, text in (("select", "run"), ("skip", "leave out")):
        group.addoption(
            f"--matrix-{name}",
            default=[],
            action="append",
            metavar="GLOB",
            help=f"glob on the ids of cells to {text}",
        )
    text = "suites to run; with --matrix by default what the matrix says, else hello"
    group.addoption("--matrix-suite", default="", metavar="NAME,...", help=text)
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


def check_ids(cells: Sequence[Cell], suite: suites.Suite) -> list[str]:
    """The checks that ``cells``, all of ``suite``, get, in the order of reports.

    Frameworks can differ only where there are several; ``matrix_across`` sees those of others.
    """
    ids = [registry.START, *(case.id for case in suite.cases)]
    if suite.compare is compare:
        several = len({cell.app.framework for cell in cells}) > 1
        return [*ids, *(each for each in CHECKS if several or each != "frameworks-differ")]
    return ids if suite.compare is suites.alone else [*ids, COMPARISON]


@dataclass(frozen=True)
class Plan:
    """What the options select."""

    matrix: Config
    cells: tuple[Cell, ...]
    sent: Mapping[str, suites.Suite]

    def pairs(self) -> list[tuple[str, str]]:
        """Ids of a cell and of a check: the items."""
        found = []
        for name, suite in self.sent.items():
            mine = [cell for cell in self.cells if cell.suite == name]
            found += [(cell.id, check) for cell in mine for check in check_ids(mine, suite)]
        return found


def _load(pytest_config: pytest.Config) -> Plan:
    named = pytest_config.getoption("--matrix-config")
    build = pytest_config.getoption("--matrix-build")
    try:
        file = Path(named) if named else config.find(pytest_config.rootpath)
        matrix = config.load(file, Path(build) if build else None)
        chosen = {
            axis: tuple(filter(None, pytest_config.getoption(f"--matrix-{axis}").split(",")))
            for axis in AXES
        }
        named = tuple(filter(None, pytest_config.getoption("--matrix-suite").split(",")))
        if not named and not pytest_config.getoption("--matrix"):
            named = (suites.HELLO,)
        cells = plan.make_cells(
            matrix,
            plan.Selection(
                suites=named,
                select=tuple(pytest_config.getoption("--matrix-select")),
                skip=tuple(pytest_config.getoption("--matrix-skip")),
                **chosen,
            ),
        )
        config.check_folders(matrix, cells)
        sent = {
            name: suites.choose(matrix, name)
            for name in dict.fromkeys(cell.suite for cell in cells)
        }
    except UserError as problem:
        raise pytest.UsageError(f"wsgi-matrix: {problem}") from None
    return Plan(matrix, cells, sent)


class MatrixItem(pytest.Item):
    """One check of one cell. The first that runs makes all cells run."""

    def __init__(self, *, cell: str, check: str, **values: Any) -> None:
        super().__init__(name=f"{cell}::{check}", **values)
        self.cell, self.check = cell, check

    def runtest(self) -> None:
        """Hold the check."""
        _held(self.config, self.cell, self.check).hold()

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it comes from: the matrix."""
        return _load(self.config).matrix.file, None, f"{self.cell} {self.check}"


class MatrixCollector(pytest.Collector):
    """The cells of the selection."""

    def collect(self) -> Iterator[MatrixItem]:
        """One item for each cell and check; the plan is pure, so collecting starts nothing."""
        for cell, check in _load(self.config).pairs():
            yield MatrixItem.from_parent(self, cell=cell, check=check)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With ``--matrix`` the cells are collected beside what the arguments name."""
    report = yield
    if isinstance(collector, pytest.Session) and collector.config.getoption("--matrix"):
        _load(collector.config)  # a wrong selection is an error of usage, not of a node
        made = MatrixCollector.from_parent(collector, name="matrix", nodeid="matrix")
        report.result = [*(report.result or []), made]
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each cell and check, where a test asks for them."""
    if "matrix_check" not in metafunc.fixturenames:
        return
    pairs = _load(metafunc.config).pairs()
    metafunc.parametrize(
        "matrix_check", pairs, indirect=True, ids=[f"{cell}-{check}" for cell, check in pairs]
    )


@pytest.fixture(scope="session")
def matrix_run(pytestconfig: pytest.Config) -> Run:
    """The selected cells, run once."""
    return _run(pytestconfig)


def _run(pytestconfig: pytest.Config) -> Run:
    """The run of this session; made when it is first asked for."""
    if (done := pytestconfig.stash.get(RUN, None)) is not None:
        return done
    if problem := pytestconfig.stash.get(PROBLEM, ""):
        pytest.fail(problem, pytrace=False)
    chosen = _load(pytestconfig)
    matrix = chosen.matrix
    try:
        engine, notice = choose(pytestconfig.getoption("--matrix-engine"), matrix.build)
        pytestconfig.stash[NOTICE] = notice
        jobs = pytestconfig.getoption("--matrix-jobs")
        with contextlib.closing(engine):
            run = Runner(
                chosen.cells,
                engine,
                matrix.settings,
                suites=chosen.sent,
                known=matrix.xfails,
                jobs=jobs,
            ).run()
    except (EngineError, SetupError) as problem:
        # Kept, so that not every item tries anew what cannot be had.
        pytestconfig.stash[PROBLEM] = f"wsgi-matrix: {problem}"
        pytest.fail(pytestconfig.stash[PROBLEM], pytrace=False)
    pytestconfig.stash[RUN] = run
    if run.partial:
        raise KeyboardInterrupt
    evidence.write(matrix.build, run)
    return run


@pytest.fixture
def matrix_check(request: pytest.FixtureRequest) -> Check:
    """One check of one cell; see :meth:`Check.hold`."""
    return _held(request.config, *request.param)


def _held(pytest_config: pytest.Config, cell_id: str, check_id: str) -> Check:
    run = _run(pytest_config)
    result = next(result for result in run.cells if result.cell.id == cell_id)
    if check_id != COMPARISON:
        return Check(cell_id, next(check for check in result.checks if check.id == check_id))
    suite = _load(pytest_config).sent[result.cell.suite]
    own = {registry.START, *(case.id for case in suite.cases)}
    added = [check for check in result.checks if check.id not in own]
    outcome = overall(tuple(added))
    lines = [f"{check.id}: {check.detail}" for check in added if check.outcome is outcome]
    detail = "" if outcome is Outcome.PASS else "\n".join(lines)
    return Check(
        cell_id, CaseResult(id=COMPARISON, level=Level.MAY, outcome=outcome, detail=detail)
    )


@pytest.fixture(scope="session")
def matrix_across(matrix_run: Run, pytestconfig: pytest.Config) -> list[tuple[str, CaseResult]]:
    """What is red when this run is compared with all others of the same images."""
    matrix = _load(pytestconfig).matrix
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
