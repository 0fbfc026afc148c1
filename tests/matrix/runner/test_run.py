"""A run that does not come to its end: what is told of cells that ended, and of those that did not.

The engine is the real one of processes, with one thing changed.
"""

from __future__ import annotations

import contextlib
import threading

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.errors import CellError, EngineError, SetupError
from wsgi_matrix.model.results import Outcome, Partial
from wsgi_matrix.results.cache import Store
from wsgi_matrix.runner import events
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites.hello import suite as hello

from tests.matrix.helpers import EngineProxy
from tests.matrix.runner.interrupts import PATIENCE, interrupt

SUITES = {"hello": hello.suite()}


@pytest.fixture
def cells(plain):
    """Three; with one job, any of them may come first."""
    axes = {"limits": ("default",), "pythons": ("3.11",)}
    return plan.make_cells(plain, plan.Selection(apps=("good", "other", "extra"), **axes))


class Counting(EngineProxy):
    """Opens the first cell that comes; what becomes of the next, ``second`` says."""

    def __init__(self, engine):
        super().__init__(engine)
        self.opened = []

    @contextlib.contextmanager
    def open(self, cell):
        self.opened.append(cell.id)
        if len(self.opened) > 1:
            self.second()
        with self._engine.open(cell) as running:
            yield running


class Interrupted(Counting):
    """The second cell is open when the interrupt comes, and ends when it is killed."""

    def __init__(self, engine):
        super().__init__(engine)
        self.killed = threading.Event()

    def second(self):
        interrupt()
        assert self.killed.wait(PATIENCE)
        raise CellError("killed")

    def abort(self):
        self.killed.set()


def kept(plain):
    """The ids of cells whose results can be taken again."""
    return [file.stem for file in (plain.build / "matrix" / "cells").iterdir()]


def test_a_cell_that_an_interrupt_killed_has_no_result(process_engine, plain, cells):
    seen = []
    store = Store(plain.build)
    engine = Interrupted(process_engine)
    run = Runner(
        cells,
        engine,
        plain.settings,
        suites=SUITES,
        jobs=1,
        handlers=[seen.append],
        store=store,
    ).run()
    first, second = engine.opened
    assert run.partial is Partial.INTERRUPTED
    assert [result.cell.id for result in run.cells] == [first]
    begun = [event.cell.id for event in seen if isinstance(event, events.CellStarted)]
    assert begun == [first, second]
    done = [event.result.cell.id for event in seen if isinstance(event, events.CellDone)]
    assert done == [first]
    assert seen[-1] == events.RunDone(run)
    assert kept(plain) == [first]


def test_an_interrupt_before_the_cells_leaves_a_run_without_any(process_engine, plain, cells):
    class Preparing(EngineProxy):
        def prepare(self, cells, phase):
            phase("bundles", "half of them")
            raise KeyboardInterrupt

    seen = []
    run = Runner(
        cells,
        Preparing(process_engine),
        plain.settings,
        suites=SUITES,
        handlers=[seen.append],
    ).run()
    assert (run.partial, run.cells) == (Partial.INTERRUPTED, ())
    assert list(run.phases) == ["bundles"]
    assert [type(event).__name__ for event in seen] == [
        "RunStarted",
        "PhaseStarted",
        "PhaseNote",
        "PhaseDone",
        "RunDone",
    ]


class Gone(Counting):
    """An engine that answers no more from the second cell on."""

    why = ""

    def second(self):
        self.why = "connection refused"
        raise CellError("no response")

    def gone(self):
        return self.why

    def baseline(self, cell):
        raise AssertionError("it is not asked any more")


def test_an_engine_that_goes_away_ends_the_run_and_its_last_cell_is_not_kept(
    process_engine, plain, cells
):
    store, engine = Store(plain.build), Gone(process_engine)
    run = Runner(cells, engine, plain.settings, suites=SUITES, jobs=1, store=store).run()
    first, second = engine.opened
    assert run.partial is Partial.ENGINE
    assert {result.cell.id: result.outcome is Outcome.ERROR for result in run.cells} == {
        first: False,
        second: True,
    }
    assert run.measured == {}
    assert kept(plain) == [first]


@pytest.mark.parametrize(("why", "error"), [("", SetupError), ("refused", EngineError)])
def test_what_cannot_be_prepared_tells_whether_the_engine_is_there(
    process_engine, plain, cells, why, error
):
    class Bad(EngineProxy):
        def prepare(self, cells, phase):
            raise SetupError("no bundle")

        def gone(self):
            return why

    with pytest.raises(error, match="no bundle" if not why else "went away.*refused"):
        Runner(cells, Bad(process_engine), plain.settings, suites=SUITES).run()
