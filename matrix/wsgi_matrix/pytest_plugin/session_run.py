"""Implementation of the pytest plugin: the selection, the run, and its results."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.config import plan
from wsgi_matrix.engines import choose
from wsgi_matrix.engines.registry import AUTO
from wsgi_matrix.errors import EngineError, SetupError, UserError
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.model.results import CaseResult, Level, Run
from wsgi_matrix.pytest_plugin.keys import AXES, NOTICE, RUN
from wsgi_matrix.results import cross_run_responses
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites import api, judge, registry

COMPARISON = "comparison"
"""The item for all checks that a suite adds by comparing cells."""
PROBLEM = pytest.StashKey[str]()


@dataclass(frozen=True)
class Check:
    """One check of one cell, with its result."""

    cell: str
    result: CaseResult

    def hold(self) -> None:
        """Pass, skip or fail the test, with the check's explanation."""
        text = f"{self.cell} {self.result.name}: {self.result.explanation()}"
        outcome = self.result.outcome
        if not outcome_semantics.ran(outcome):
            pytest.skip(text)
        if outcome_semantics.known(outcome):
            pytest.xfail(text)
        if outcome in outcome_semantics.RED:
            pytest.fail(f"{outcome.value}: {text}", pytrace=False)


def check_ids(cells: Sequence[Cell], suite: api.Suite) -> list[str]:
    """The ids of the checks of ``cells``, all of ``suite``, in the order of reports."""
    ids = of_cell(suite)
    if suite.added is not None:
        return [*ids, *suite.added(cells)]
    return ids if suite.compare is api.alone else [*ids, COMPARISON]


def of_cell(suite: api.Suite) -> list[str]:
    """The ids of the checks of a cell by itself."""
    return [judge.START, *(case.id for case in suite.cases)]


@dataclass(frozen=True)
class Plan:
    """The selection of the options."""

    matrix: Config
    engine: str
    cells: tuple[Cell, ...]
    sent: Mapping[str, api.Suite]

    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of the ids of a cell and a check: the items."""
        found = []
        for name, suite in self.sent.items():
            mine = [cell for cell in self.cells if cell.suite == name]
            found += [(cell.id, check) for cell in mine for check in check_ids(mine, suite)]
        return found


def load(pytest_config: pytest.Config) -> Plan:
    """The selection of the options. Raises :class:`pytest.UsageError` if it is invalid."""
    named = pytest_config.getoption("--matrix-config")
    build = pytest_config.getoption("--matrix-build")
    engine = pytest_config.getoption("--matrix-engine") or AUTO
    try:
        choose.check(engine)
        file = Path(named) if named else config.find(pytest_config.rootpath)
        matrix = config.load(file, Path(build) if build else None)
        chosen = {
            axis: tuple(filter(None, pytest_config.getoption(f"--matrix-{axis}").split(",")))
            for axis in AXES
        }
        named = tuple(filter(None, pytest_config.getoption("--matrix-suite").split(",")))
        cells = plan.make_cells(
            matrix,
            plan.Selection(
                suites=named,
                select=tuple(pytest_config.getoption("--matrix-select")),
                skip=tuple(pytest_config.getoption("--matrix-skip")),
                **chosen,
            ),
        )
        config.check_directories(matrix, cells)
        sent = {
            name: registry.build(matrix, name)
            for name in dict.fromkeys(cell.suite for cell in cells)
        }
    except UserError as problem:
        raise pytest.UsageError(f"wsgi-matrix: {problem}") from None
    return Plan(matrix, engine, cells, sent)


def run(pytestconfig: pytest.Config) -> Run:
    """The run of this session, which starts at the first call."""
    if (done := pytestconfig.stash.get(RUN, None)) is not None:
        return done
    if problem := pytestconfig.stash.get(PROBLEM, ""):
        pytest.fail(problem, pytrace=False)
    chosen = load(pytestconfig)
    matrix = chosen.matrix
    try:
        engine, notice = choose.choose(chosen.engine, matrix.build)
        pytestconfig.stash[NOTICE] = notice
        jobs = pytestconfig.getoption("--matrix-jobs")
        with contextlib.closing(engine):
            done = Runner(
                chosen.cells,
                engine,
                matrix.settings,
                suites=chosen.sent,
                known=matrix.xfails,
                jobs=jobs,
            ).run()
    except (EngineError, SetupError) as problem:
        # Stored, so that not every item tries again what has failed.
        pytestconfig.stash[PROBLEM] = f"wsgi-matrix: {problem}"
        pytest.fail(pytestconfig.stash[PROBLEM], pytrace=False)
    pytestconfig.stash[RUN] = done
    if done.partial:
        raise KeyboardInterrupt
    cross_run_responses.write(matrix.build, done)
    return done


def across(pytest_config: pytest.Config, done: Run) -> list[tuple[str, CaseResult]]:
    """Red checks of the comparison of ``done`` with all other runs of the same images.

    Only cells of suites that declare it are compared, by their responses to the suite's requests.
    If ``done`` has none, the test is skipped.
    """
    done = replace(done, cells=tuple(filter(cross_run_responses.comparable, done.cells)))
    if not done.cells:
        kinds = registry.types()
        names = " or ".join(name for name in kinds if kinds[name].cross_run)
        pytest.skip(f"the suite {names} was not run, but only it is compared with other runs")
    chosen = load(pytest_config)
    found = []
    cells = (*done.cells, *cross_run_responses.read_others(chosen.matrix.build, done))
    for name in dict.fromkeys(result.cell.suite for result in done.cells):
        suite = chosen.sent[name]
        mine = suite.compare([result for result in cells if result.cell.suite == name])
        own = of_cell(suite)
        found += [
            each
            for each in outcome_semantics.red(replace(done, cells=mine))
            if each[1].id not in own
        ]
    return found


def held(pytest_config: pytest.Config, cell_id: str, check_id: str) -> Check:
    """The result of one check of one cell."""
    cells = run(pytest_config).cells
    result = next(result for result in cells if result.cell.id == cell_id)
    if check_id != COMPARISON:
        return Check(cell_id, next(check for check in result.checks if check.id == check_id))
    suite = load(pytest_config).sent[result.cell.suite]
    own = of_cell(suite)
    added = [check for check in result.checks if check.id not in own]
    outcome = outcome_semantics.overall(tuple(added))
    lines = [f"{check.id}: {check.detail}" for check in added if check.outcome is outcome]
    detail = "" if outcome_semantics.held(outcome) else "\n".join(lines)
    return Check(
        cell_id, CaseResult(id=COMPARISON, level=Level.MAY, outcome=outcome, detail=detail)
    )
