"""What a server costs: read by both engines, compared over the profiles, and red where it grows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.engines.process.engine import most_files
from wsgi_matrix.errors import NotHere
from wsgi_matrix.model.axes import App
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites.fd_scaling import suite

from tests.matrix.helpers import EngineProxy

HOLDS = """
held = bytearray(b"x" * (64 * 2**20))


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"Hello, World!\\n"]
"""


@pytest.fixture
def holding(tmp_path):
    """An app that holds 64 MiB."""
    folder = tmp_path / "holds"
    folder.mkdir()
    (folder / "app.py").write_text(HOLDS)
    return App(name="holds", path=folder)


def test_time_and_memory_are_those_of_the_server(engine, plain, run_cells, holding):
    [cell] = plan.make_cells(
        plain, plan.Selection(apps=("good",), limits=("default",), pythons=("3.11",))
    )
    small, large = run_cells(engine, cells=(cell, replace(cell, app=holding))).cells
    assert 0 < small.ready_seconds < small.seconds
    assert 2**20 < small.memory < 60 * 2**20
    # Not to the page: what else a process touches differs a little.
    assert 60 * 2**20 <= large.memory - small.memory < 256 * 2**20


@pytest.fixture
def cells(result_of):
    """A reference and a cell with more descriptors, of made-up costs."""

    def make(name, nofile, seconds, memory, server="onegate"):
        result = result_of("fd_scaling", name, server=server)
        limits = replace(result.cell.limits, nofile=nofile)
        return replace(
            result,
            cell=replace(result.cell, limits=limits),
            ready_seconds=seconds,
            memory=memory,
        )

    return make


@pytest.mark.parametrize(
    ("seconds", "memory", "boot", "size"),
    [
        (0.4, 40 * 2**20, Outcome.PASS, Outcome.PASS),
        (1.2, 57 * 2**20, Outcome.PASS, Outcome.PASS),
        (5.0, 40 * 2**20, Outcome.PASS, Outcome.PASS),  # a machine that is busy
        (20.0, 40 * 2**20, Outcome.FAIL, Outcome.PASS),
        (0.4, 8000 * 2**20, Outcome.PASS, Outcome.FAIL),
        (0.4, None, Outcome.PASS, Outcome.SKIP),
    ],
)
def test_growth_is_judged_against_the_cell_without_nofile(
    cells, check, run_of, seconds, memory, boot, size
):
    results = suite.compare(
        [
            cells("default", None, 0.4, 40 * 2**20),
            cells("huge", 2**30, seconds, memory),
            cells("default", None, 90.0, 2**40, server="other"),
        ]
    )
    run = run_of(*results)
    assert check(run, "onegate-fd_scaling-huge-py311", "boot").outcome is boot
    assert check(run, "onegate-fd_scaling-huge-py311", "memory").outcome is size
    assert check(run, "onegate-fd_scaling-default-py311", "boot").outcome is Outcome.PASS


def test_without_a_reference_nothing_is_judged_and_the_figure_is_told(cells, check, run_of):
    run = run_of(*suite.compare([cells("huge", 2**30, 0.4, 2**20)]))
    found = check(run, "onegate-fd_scaling-huge-py311", "memory")
    assert (found.outcome, found.detail[:7]) == (Outcome.SKIP, "1.0 MiB")


def test_what_cannot_be_had_on_this_machine_is_a_skip_with_the_reason(process_engine, run_cells):
    class Bounded(EngineProxy):
        def open(self, cell):
            raise NotHere("nofile 7 is above 6")

    [result] = run_cells(Bounded(process_engine), apps=("good",)).cells
    assert result.outcome is Outcome.SKIP
    assert result.checks[0].detail == "nofile 7 is above 6"


def test_more_descriptors_than_can_be_set_are_no_error(engine, plain, run_cells):
    [cell] = plan.make_cells(
        plain, plan.Selection(apps=("good",), limits=("default",), pythons=("3.11",))
    )
    limits = replace(cell.limits, name="huge", nofile=2**30)
    [result] = run_cells(engine, cells=(replace(cell, limits=limits),)).cells
    if engine.name == "process":
        assert (result.outcome is Outcome.SKIP) is (most_files() < 2**30)
    assert result.outcome in (Outcome.PASS, Outcome.SKIP)
    assert str(2**30) in " ".join(check.detail for check in result.checks)
