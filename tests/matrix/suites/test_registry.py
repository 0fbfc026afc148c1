"""Suites: what a cell gets of one, and cells that wait beside the jobs."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.errors import CellError, ConfigError
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites import registry
from wsgi_matrix.suites.slow_clients.rules import RULES as SLOW_RULES
from wsgi_matrix.suites.slow_clients.suite import KINDS

from tests.matrix.helpers import PLAIN, EngineProxy


@pytest.fixture
def cells(plain):
    def cells(suite, **axes):
        axes = {"pythons": ("3.11",), "limits": ("default",), **axes}
        return plan.make_cells(plain, plan.Selection(suites=(suite,), **axes))

    return cells


def test_a_cell_of_slow_clients_gets_the_scenario_of_its_kind_alone(plain, cells):
    suite = registry.build(plain, "slow_clients")
    found = {cell.app.name: suite.of(cell) for cell in cells("slow_clients")}
    assert tuple(found) == KINDS
    for kind, part in found.items():
        assert [scenario.name for scenario in part.scenarios] == [
            f"{kind.replace('_', '-')}/others-served"
        ]
        assert [case.id for case in part.cases if case.cite] == [
            rule.id for rule in SLOW_RULES if rule.app == kind
        ]


def test_the_signals_of_its_server_are_filled_in(plain, cells):
    [stop, reload] = cells("shutdown")
    server = replace(stop.server, stop_signal="SIGINT", reload_signal="SIGUSR1")
    suite = registry.build(plain, "shutdown")
    for cell, path in ((stop, b"/signal/SIGINT "), (reload, b"/signal/SIGUSR1 ")):
        scenario, *_ = suite.of(replace(cell, server=server)).scenarios
        sent = b"".join(step.data for step in scenario.steps)
        assert path in sent
        assert b"{" not in sent


def test_a_server_without_a_reload_is_not_asked_for_one(process_engine, plain, cells):
    [_, reload] = cells("shutdown")
    chosen = {"shutdown": registry.build(plain, "shutdown")}
    [result] = Runner((reload,), process_engine, plain.settings, suites=chosen).run().cells
    assert result.outcome is Outcome.SKIP
    assert "plain has no reload signal" in result.checks[0].detail


def test_cells_that_wait_take_no_slot_of_the_jobs(process_engine, plain, cells, monkeypatch):
    """On one core: the last cell is opened while two others still wait for it."""
    monkeypatch.setattr("wsgi_matrix.runner.run.cores", lambda: 1)
    opened = threading.Barrier(3, timeout=120)

    class Meeting(EngineProxy):
        @contextlib.contextmanager
        def open(self, cell):
            opened.wait()
            raise CellError("met")
            yield

    both = (*cells("slow_clients")[:2], *cells("hello", apps=("good",)))
    chosen = {
        "slow_clients": registry.build(plain, "slow_clients"),
        "hello": registry.build(plain, "hello"),
    }
    run = Runner(both, Meeting(process_engine), plain.settings, suites=chosen).run()
    assert [result.checks[0].detail for result in run.cells] == ["met"] * 3


def test_what_may_take_longest_begins_first(process_engine, plain, cells):
    all_cells = (*cells("hello", apps=("good",)), *cells("slow_clients")[:1], *cells("conformance"))
    chosen = {
        name: registry.types()[name].build(plain)
        for name in ("hello", "slow_clients", "conformance")
    }
    turns = Runner(all_cells, process_engine, plain.settings, suites=chosen)._schedule.turns
    assert [turn.cell.suite for turn in turns] == ["conformance", "slow_clients", "hello"]


def test_a_signal_that_there_is_not_is_refused(tmp_path):
    file = tmp_path / "matrix.toml"
    text = PLAIN.read_text()
    file.write_text(text.replace("[servers.plain]\n", '[servers.plain]\nreload_signal = "HUP"\n'))
    with pytest.raises(ConfigError, match="reload_signal: expected the name of a signal"):
        matrix_toml.load(file)
