"""The life of one cell on an engine that fails: whatever happens, there is a result and nothing is
left open. The engine is the real one of processes, with one thing changed."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.errors import CellError, NotHere, SetupError
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.model.wire import Scenario, Transcript
from wsgi_matrix.probe.protocol import Report
from wsgi_matrix.runner.cell import run_cell
from wsgi_matrix.suites import api, judge
from wsgi_matrix.suites.hello import suite as hello

from tests.matrix.helpers import EngineProxy


@pytest.fixture
def cell(plain):
    [cell] = plan.make_cells(
        plain, plan.Selection(apps=("good",), limits=("default",), pythons=("3.11",))
    )
    return cell


class Closed(EngineProxy):
    """Raises ``problem`` instead of opening a cell; counts how often it was asked."""

    def __init__(self, engine, problem):
        super().__init__(engine)
        self.problem, self.asked = problem, 0

    @contextlib.contextmanager
    def open(self, cell):
        self.asked += 1
        raise self.problem
        yield


class Failing(EngineProxy):
    """Opens real cells, in which ``act`` raises ``problem``."""

    def __init__(self, engine, act, problem):
        super().__init__(engine)
        self.act, self.problem = act, problem

    @contextlib.contextmanager
    def open(self, cell):
        def fail(*_):
            raise self.problem

        with self._engine.open(cell) as running:
            changed = EngineProxy(running)
            setattr(changed, self.act, fail)
            yield changed


def start_of(result):
    first, *others = result.checks
    assert first.id == judge.START
    assert {(check.outcome, check.detail) for check in others} == {
        (Outcome.SKIP, outcome_semantics.NOT_JUDGED)
    }
    return first


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (CellError("it died"), "it died"),
        (CellError("it died", exit_status=3), "it died (exit status 3)"),
        (CellError("it died with exit status 3", exit_status=3), "it died with exit status 3"),
        (CellError("it died", " why\n\n", 1), "it died (exit status 1); last log lines:\nwhy"),
        (SetupError("no volume"), "no volume"),
    ],
)
def test_a_cell_that_cannot_be_opened_is_an_error_that_says_all_there_is(
    process_engine, plain, cell, problem, told
):
    result = run_cell(Closed(process_engine, problem), cell, plain.settings, hello.suite())
    assert result.outcome is Outcome.ERROR
    assert start_of(result).outcome is Outcome.ERROR
    assert start_of(result).detail == told
    assert result.log == getattr(problem, "log", "")
    assert (result.image, result.observed, result.exchanges) == (None, None, {})


def test_what_is_no_error_of_a_cell_is_a_defect_of_ours_and_says_where(process_engine, plain, cell):
    result = run_cell(Closed(process_engine, KeyError("x")), cell, plain.settings, hello.suite())
    assert result.outcome is Outcome.ERROR
    detail = start_of(result).detail
    assert detail.startswith("internal error in wsgi-matrix:\nTraceback")
    assert "raise self.problem" in detail


def test_what_fails_because_the_engine_went_away_is_no_defect(process_engine, plain, cell):
    """Whatever it is that the loss shows itself as, deep in a library of HTTP, say."""
    closed = Closed(process_engine, KeyError("x"))
    closed.gone = lambda: "nothing answers at unix:///x"
    result = run_cell(closed, cell, plain.settings, hello.suite())
    assert result.outcome is Outcome.ERROR
    assert start_of(result).detail == "the engine went away: nothing answers at unix:///x"


def test_an_interrupt_is_no_defect_and_goes_on(process_engine, plain, cell):
    with pytest.raises(KeyboardInterrupt):
        run_cell(Closed(process_engine, KeyboardInterrupt()), cell, plain.settings, hello.suite())


@pytest.mark.parametrize("act", ["probe", "memory", "zombies", "stop"])
def test_what_was_known_before_an_act_failed_is_in_the_result(process_engine, plain, cell, act):
    engine = Failing(process_engine, act, CellError(f"no {act}", "last words", 7))
    result = run_cell(engine, cell, plain.settings, hello.suite())
    assert result.outcome is Outcome.ERROR
    assert start_of(result).detail == f"no {act} (exit status 7); last log lines:\nlast words"
    assert result.image is not None
    assert result.observed is not None
    assert result.seconds > 0
    assert list((plain.build / "matrix").glob("run-*")) == []


def test_limits_that_cannot_be_read_back_leave_the_image_only(process_engine, plain, cell):
    engine = Failing(process_engine, "observed", CellError("no limits"))
    result = run_cell(engine, cell, plain.settings, hello.suite())
    assert (result.outcome, result.observed) == (Outcome.ERROR, None)
    assert result.image is not None


def test_a_cell_that_cannot_be_had_here_is_a_skip(process_engine, plain, cell):
    result = run_cell(
        Closed(process_engine, NotHere("no cgroup")), cell, plain.settings, hello.suite()
    )
    assert (result.outcome, start_of(result).detail) == (Outcome.SKIP, "no cgroup")
    assert result.seconds == 0.0


@pytest.mark.parametrize("who", ["engine", "suite"])
def test_a_cell_that_makes_no_sense_is_not_opened(process_engine, plain, cell, who):
    engine, suite = Closed(process_engine, AssertionError()), hello.suite()
    if who == "engine":
        engine.skip_reason = lambda _: "no python"
    else:
        suite = replace(suite, skip_reason=lambda _: "no python")
    result = run_cell(engine, cell, plain.settings, suite)
    assert (result.outcome, start_of(result).detail) == (Outcome.SKIP, "no python")
    assert engine.asked == 0


class Ending(EngineProxy):
    """Each server ends with the scenarios in ``had``; the first has the rest of a cell too."""

    def __init__(self, engine, *had):
        super().__init__(engine)
        self.had, self.asked = iter(had), []

    @contextlib.contextmanager
    def open(self, cell):
        def probe(job):
            self.asked.append("".join(scenario.name for scenario in job.scenarios))
            had = next(self.had)
            return Report(transcripts={name: Transcript(name=name, events=()) for name in had})

        with self._engine.open(cell) as running:
            changed = EngineProxy(running)
            changed.probe = probe
            yield changed


SCENARIOS = api.Suite(
    name="scenarios", scenarios=tuple(Scenario(name=name, steps=()) for name in "abcd")
)


@pytest.mark.parametrize(
    ("had", "asked", "found"),
    [
        (("abcd",), ["abcd"], "abcd"),
        (("ab", "c", "d"), ["abcd", "cd", "d"], "abcd"),
        (("ab", "c", ""), ["abcd", "cd", "d"], "abc"),
    ],
)
def test_a_server_that_a_scenario_ended_is_started_anew_for_what_is_left(
    process_engine, plain, cell, had, asked, found
):
    """Until all are had, or a new server has none of them."""
    engine = Ending(process_engine, *had)
    result = run_cell(engine, cell, plain.settings, SCENARIOS)
    assert engine.asked == asked
    assert "".join(sorted(result.transcripts)) == found
    assert result.outcome is Outcome.PASS


def test_a_new_server_that_does_not_come_up_is_an_error_of_the_cell(process_engine, plain, cell):
    class Once(Ending):
        def open(self, cell):
            if self.asked:
                raise CellError("it came up only once")
            return super().open(cell)

    result = run_cell(Once(process_engine, "ab"), cell, plain.settings, SCENARIOS)
    assert (result.outcome, result.checks[0].detail) == (Outcome.ERROR, "it came up only once")
    assert result.observed is not None
