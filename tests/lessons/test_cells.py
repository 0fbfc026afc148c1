"""Each lesson as cells of the matrix: what is meant to die dies, and of what it is meant to.

lessons/matrix.toml says what is expected; a known failure that does not come is red here.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.model.outcome_semantics import red
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites.hello import suite as hello

# Where no engine answers, the Docker SDK leaves its socket for the collector of garbage to close.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ROOT = Path(__file__).parents[2]
JOBS = 3
"""Some wait for seconds and need no core."""
MATRIX = matrix_toml.load(ROOT / "lessons" / "matrix.toml", ROOT / "build")
CELLS = plan.make_cells(MATRIX, plan.Selection())


@pytest.fixture(scope="module")
def run():
    engine, notice = choose("auto", MATRIX.build)
    print(notice)
    with contextlib.closing(engine):
        return Runner(
            CELLS,
            engine,
            MATRIX.settings,
            suites={"hello": hello.suite()},
            known=MATRIX.xfails,
            jobs=JOBS,
        ).run()


@pytest.mark.parametrize("cell", [cell.id for cell in CELLS])
def test_cell_is_as_expected(cell, run):
    [result] = [result for result in run.cells if result.cell.id == cell]
    bad = [f"{check.id}: {check.detail}" for name, check in red(run) if name == cell]
    assert not bad, "\n".join(bad)
    assert result.outcome in (Outcome.PASS, Outcome.XFAIL)


@pytest.fixture
def check(run):
    """`check("lesson05-wsgi-fds256", "clean-exit")` → its result."""

    def find(cell, name):
        [result] = [each for each in run.cells if each.cell.id.startswith(cell + "-py")]
        return next(check for check in result.checks if check.id == name)

    return find


@pytest.mark.parametrize(
    ("cell", "limits"),
    [
        ("lesson05-wsgi-fds256", {"nofile": 256}),
        ("lesson06-wsgi-procs400", {"nofile": 500, "nproc": 400}),
        ("lesson06-wsgi-turns500", {"nofile": 500, "nproc": 400}),
    ],
)
def test_it_died_under_exactly_these_limits(cell, limits, run, check):
    [result] = [each for each in run.cells if each.cell.id.startswith(cell + "-py")]
    for name, value in limits.items():
        assert getattr(result.observed, name) == value
    assert check(cell, "limits-applied").outcome is Outcome.PASS
    assert check(cell, "clean-exit").outcome is Outcome.XFAIL


def test_one_wait_leaves_zombies_and_the_loop_leaves_none_over_10_rounds_of_128(check):
    assert check("lesson07-wsgi-rounds10", "reaped").outcome is Outcome.XFAIL
    for lesson in ("lesson08", "lesson09", "onegate"):
        cell = f"{lesson}-wsgi-rounds10"
        assert check(cell, "reaped").outcome is Outcome.PASS
        assert check(cell, "burst").detail.startswith("1280 clients, ")


def test_one_server_layer_for_all_lessons(run):
    layers = {
        result.image.server_layer
        for result in run.cells
        if result.cell.server.name.startswith("lesson")
    }
    assert len(layers) == 1
