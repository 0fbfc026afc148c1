"""When a probe may say that it only waits: silence on the wire, and a processor to spare."""

from __future__ import annotations

import threading

import pytest
from wsgi_matrix.probe.agent import load_adjusted_clock, quiescence_detector
from wsgi_matrix.probe.agent.quiescence_detector import Waiting, has_time

PATIENCE = 120.0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(quiescence_detector, "LOOKING", 0.001)
    monkeypatch.setattr(quiescence_detector, "SILENCE", 0.01)


def stat(running: int) -> str:
    return f"cpu 1 2 3\nprocs_running {running}\nprocs_blocked 0\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(3)`: as many processes want to run, with two processors."""
    monkeypatch.setattr(load_adjusted_clock, "STAT", tmp_path / "stat")
    monkeypatch.setattr(quiescence_detector.os, "cpu_count", lambda: 2)

    def make(running: int) -> None:
        (tmp_path / "stat").write_text(stat(running))

    make(1)
    return make


def test_silence_is_told_of_once(machine):
    told = []
    lines = iter(range(10**9))
    over = threading.Event()

    def tell():
        told.append(1)
        over.set()

    with Waiting(lambda: 7, tell):
        assert over.wait(PATIENCE)
    assert told == [1]
    with Waiting(lambda: next(lines), tell):  # each time something new
        assert not threading.Event().wait(0.1)
    assert told == [1]


def test_who_gets_no_processor_does_not_wait(machine):
    machine(4)
    told = threading.Event()
    with Waiting(lambda: 7, told.set):
        assert not told.wait(0.1)
        machine(2)
        assert told.wait(PATIENCE)


def test_the_machine_has_time_while_no_more_run_than_there_are_processors(machine, tmp_path):
    machine(3)  # the probe itself is one of them
    assert has_time()
    machine(4)
    assert not has_time()
    (tmp_path / "stat").unlink()
    assert not has_time()
