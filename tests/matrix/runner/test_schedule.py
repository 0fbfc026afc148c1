"""The order of cells, how many go on at a time, and what an interrupt does to them.

A cell is a plain function here: the schedule knows nothing else of one.
"""

from __future__ import annotations

import inspect
import itertools
import threading

import pytest
from wsgi_matrix.runner import schedule
from wsgi_matrix.runner.schedule import Schedule, Turn

from tests.matrix.runner.interrupts import PATIENCE, interrupt


@pytest.fixture
def turns(result_of):
    """`turns("a", "b", waits=…)`: one for each name."""

    def make(*names, deadline=60.0, waits=False):
        return [Turn(cell=result_of(name).cell, deadline=deadline, waits=waits) for name in names]

    return make


@pytest.fixture
def scheduled(result_of):
    """`scheduled(turns, one)`: what is found is by the names of apps, as `one` gets them."""

    def make(turns, one=lambda name: None, *, jobs=1, abort=lambda: None, **more):
        """`one` may take the function that gives its job back."""
        takes = len(inspect.signature(one).parameters)

        def run(cell, waits):
            one(*(cell.app.name, waits)[:takes])
            return result_of(cell.app.name)

        return Schedule(turns, jobs, run, abort, **more)

    return make


def found(chosen):
    results = {}
    chosen.run(results)
    return {result.cell.app.name for result in results.values()}


def test_the_longest_begins_first_and_equals_as_they_came(turns, scheduled):
    all_turns = [*turns("a", "b", deadline=1), *turns("c", deadline=9), *turns("d", deadline=1)]
    chosen = scheduled(all_turns)
    assert [turn.cell.app.name for turn in chosen.turns] == ["c", "a", "b", "d"]
    assert found(chosen) == set("abcd")


def test_no_more_cells_at_a_time_than_jobs(turns, scheduled):
    lock, crowded, now, most = threading.Lock(), threading.Event(), set(), []

    def one(name):
        with lock:
            now.add(name)
            most.append(len(now))
            if len(now) > 2:
                crowded.set()
        crowded.wait(0.05)  # it takes as long as this
        with lock:
            now.remove(name)

    assert found(scheduled(turns(*"abcdef"), one, jobs=2)) == set("abcdef")
    assert not crowded.is_set(), most


def test_as_many_cells_at_a_time_as_jobs(turns, scheduled):
    met = threading.Barrier(3)
    assert len(found(scheduled(turns(*"abc"), lambda _: met.wait(PATIENCE), jobs=3))) == 3


def test_who_only_waits_takes_no_job(turns, scheduled):
    """With one job: all three have to be open at the same time."""
    met = threading.Barrier(3)
    both = [*turns("a"), *turns("b", "c", waits=True)]
    assert len(found(scheduled(both, lambda _: met.wait(PATIENCE)))) == 3


def test_a_cell_that_says_that_it_waits_gives_its_job_to_another(turns, scheduled):
    met = threading.Barrier(2)

    def one(_, waits):
        waits()
        met.wait(PATIENCE)

    assert len(found(scheduled(turns("a", "b"), one))) == 2


def test_a_cell_that_takes_long_keeps_its_job(turns, scheduled, monkeypatch):
    """However long: as long as the old limit for it, made short here, a hundred times over."""
    monkeypatch.setattr(schedule, "LONG", 0.005, raising=False)
    other, beside = threading.Event(), []

    def one(name):
        if name == "a":
            beside.append(other.wait(0.5))
        other.set()

    assert len(found(scheduled(turns("a", "b"), one))) == 2
    assert beside == [False]


def test_a_job_that_was_given_away_is_not_given_back_once_more(turns, scheduled):
    """With one job, that the first gave to the second: its end makes no room for a third."""
    numbers, second, third = itertools.count(1), threading.Event(), threading.Event()
    beside = []

    def one(_, waits):
        match next(numbers):
            case 1:
                waits()
                waits()
                assert second.wait(PATIENCE)
            case 2:
                second.set()
                beside.append(third.wait(0.2))
            case 3:
                third.set()

    assert len(found(scheduled(turns(*"abc"), one))) == 3
    assert beside == [False]


def test_a_number_of_jobs_that_people_say_is_kept_whoever_waits(turns, scheduled):
    """One at a time: cells that share a port, say."""
    lock = threading.Lock()

    def one(_, waits):
        assert lock.acquire(blocking=False)
        waits()
        crowded.wait(0.05)
        lock.release()

    crowded = threading.Event()
    both = [*turns("a", "b"), *turns("c", "d", waits=True)]
    assert found(scheduled(both, one, strict=True)) == set("abcd")


def test_nothing_is_found_of_a_cell_that_has_nothing_to_tell(turns, result_of):
    results = {}
    Schedule(
        turns("a", "b"),
        1,
        lambda cell, _: result_of("b") if cell.app.name == "b" else None,
        lambda: None,
    ).run(results)
    assert [result.cell.app.name for result in results.values()] == ["b"]


def test_an_interrupt_kills_what_is_open_and_keeps_what_had_ended(turns, result_of):
    """One cell is done, the next is open and has to be killed twice, the last has no job yet."""
    results, seen, begun, killed = {}, [], [], threading.Semaphore(0)

    def one(cell, _=None):
        if chosen.interrupted.is_set():
            return None
        begun.append(cell.id)
        if len(begun) > 1:
            interrupt()
            for _ in range(2):
                assert killed.acquire(timeout=PATIENCE)
            return None
        return result_of(cell.app.name)

    def abort():
        seen.append(chosen.interrupted.is_set())
        killed.release()

    chosen = Schedule(turns(*"abc"), 1, one, abort)
    with pytest.raises(KeyboardInterrupt):
        chosen.run(results)
    assert seen[:2] == [True, True]
    assert len(begun) == 2
    assert list(results) == begun[:1]


def test_a_cell_that_has_begun_is_kept_though_the_interrupt_comes_while_it_is_handed_out(
    turns, result_of, monkeypatch
):
    begun, killed, results = threading.Event(), threading.Event(), {}

    def one(cell, _=None):
        begun.set()
        assert killed.wait(PATIENCE)
        return result_of(cell.app.name)

    def submit(*args):
        handed_out(*args)
        assert begun.wait(PATIENCE)
        raise KeyboardInterrupt

    chosen = Schedule(turns(*"abc"), 1, one, killed.set)
    handed_out = chosen._pool.submit
    monkeypatch.setattr(chosen._pool, "submit", submit)
    with pytest.raises(KeyboardInterrupt):
        chosen.run(results)
    assert [result.cell.app.name for result in results.values()] == ["a"]


def test_a_cell_that_waits_for_its_turn_is_cancelled_by_an_interrupt(turns, scheduled, monkeypatch):
    monkeypatch.setattr(schedule, "WAITING", 1)
    begun, killed = [], threading.Event()

    def one(name):
        begun.append(name)
        interrupt()
        assert killed.wait(PATIENCE)

    with pytest.raises(KeyboardInterrupt):
        found(scheduled(turns("a", "b", waits=True), one, abort=killed.set))
    assert begun == ["a"]


def test_a_cell_that_cannot_be_killed_holds_an_interrupt_up_for_a_while_only(
    turns, scheduled, monkeypatch
):
    monkeypatch.setattr(schedule, "ABORT_WAIT", 0.1)
    over, ended = threading.Event(), threading.Event()

    def one(_):
        interrupt()
        over.wait(PATIENCE)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        found(scheduled(turns("a"), one))
    assert not ended.is_set()
    over.set()
    assert ended.wait(PATIENCE)


def test_what_fails_on_the_way_does_not_hide_an_interrupt(turns, result_of):
    """A cell that was killed may raise what it likes."""
    results, begun, killed = {}, [], threading.Event()

    def one(cell, _=None):
        begun.append(cell.id)
        if len(begun) == 1:
            return result_of(cell.app.name)
        interrupt()
        assert killed.wait(PATIENCE)
        raise OSError("killed")

    with pytest.raises(KeyboardInterrupt):
        Schedule(turns("a", "b"), 1, one, killed.set).run(results)
    assert list(results) == begun[:1]
