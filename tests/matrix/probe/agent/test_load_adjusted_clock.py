"""Seconds as a server gets them, on a machine that is busy with others."""

from __future__ import annotations

import threading
import time

import pytest
from wsgi_matrix.probe.agent import load_adjusted_clock
from wsgi_matrix.probe.agent.load_adjusted_clock import Patience

STAT = "cpu 1 2 3\nprocs_running {}\nprocs_blocked 0\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(3)`: as many processes want to run, this one among them, with two processors."""
    monkeypatch.setattr(load_adjusted_clock, "STAT", tmp_path / "stat")
    monkeypatch.setattr(load_adjusted_clock.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(load_adjusted_clock, "LOOKING", 0.001)
    monkeypatch.setattr(load_adjusted_clock, "_clock", [])

    def make(running):
        (tmp_path / "stat").write_text(STAT.format(running))

    make(1)
    return make


@pytest.mark.parametrize(("running", "share"), [(0, 1), (1, 1), (3, 1), (5, 0.5), (21, 0.1)])
def test_who_wants_to_run_gets_a_share_of_the_processors(machine, running, share):
    machine(running)
    assert load_adjusted_clock.share() == share
    assert load_adjusted_clock.wall(2.0) == 2.0 / share


def test_where_it_cannot_be_told_a_second_is_a_second(machine, tmp_path):
    (tmp_path / "stat").unlink()
    assert load_adjusted_clock.share() == 1
    (tmp_path / "stat").write_text("cpu 1 2 3\n")
    assert load_adjusted_clock.share() == 1


def test_a_second_lasts_as_long_as_the_machine_is_busy(machine):
    """Ten times as long with twenty for two processors: less than half of what the clock says."""
    for running, least, most in ((1, 0.99, 1.01), (21, 0.0, 0.5)):
        machine(running)
        load_adjusted_clock._clock.clear()
        began, clock = load_adjusted_clock.now(), time.monotonic()
        threading.Event().wait(0.2)
        ratio = (load_adjusted_clock.now() - began) / (time.monotonic() - clock)
        assert least <= ratio <= most


def test_a_look_after_another_sees_what_has_changed(machine):
    machine(21)
    load_adjusted_clock.now()
    machine(1)
    wait = Patience(0.5, time.monotonic() + 60)
    while left := wait.left():
        threading.Event().wait(left)
    assert time.monotonic() < wait.deadline, "it would have taken 5 s"


def test_nothing_goes_beyond_the_deadline(machine):
    machine(1)
    assert Patience(60, time.monotonic() - 1).left() == 0
    assert Patience(60, time.monotonic() + 1).left() <= 1
    assert Patience(60, time.monotonic() + 1).wall() <= 1
    assert Patience(-1).left() == 0


def test_a_clock_that_is_replaced_ends(machine):
    load_adjusted_clock.now()
    [first] = load_adjusted_clock._clock
    [looking] = [x for x in threading.enumerate() if getattr(x, "_target", None) == first.look]
    load_adjusted_clock._clock.clear()
    looking.join(60)
    assert not looking.is_alive()
    before = load_adjusted_clock.now()
    assert first not in load_adjusted_clock._clock
    assert load_adjusted_clock.now() >= before
