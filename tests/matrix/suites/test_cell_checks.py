"""Ended children that nobody waits for are seen, on both engines; bursts come in rounds."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.engines import zombies
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites.cell_checks import judge_reaped

LEAVES_TWO = """
import os, signal, sys
for _ in range(2):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print("left", flush=True)
signal.pause()
"""


class Seen:
    """As much of the evidence as the judgement reads."""

    def __init__(self, zombies):
        self.zombies = zombies
        self.exchanges = {}


@pytest.mark.parametrize(
    ("zombies", "outcome"), [(0, Outcome.PASS), (1, Outcome.FAIL), (None, Outcome.SKIP)]
)
def test_the_judgement(zombies, outcome):
    found, detail = judge_reaped(Seen(zombies))
    assert found is outcome
    assert bool(detail) is (outcome is not Outcome.PASS)


def session_of(source):
    """A process with a session of its own, which other tests that run now have no part in."""
    command = [sys.executable, "-c", source]
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)


def test_zombies_of_a_session_are_found_and_those_of_others_are_not():
    with session_of(LEAVES_TWO) as leaves, session_of(LEAVES_TWO.replace("(2)", "(0)")) as other:
        try:
            for process in (leaves, other):
                assert process.stdout.readline() == b"left\n"
            assert len(zombies.settled(leaves.pid, 0.1)) == 2
            assert zombies.settled(other.pid, 0.0) == []
        finally:
            for process in (leaves, other):
                process.send_signal(signal.SIGKILL)


def test_a_server_that_does_not_wait_is_red_and_bursts_come_in_rounds(
    engine, plain, run_cells, check, tmp_path
):
    folder = tmp_path / "leaves"
    folder.mkdir()
    source = plain.servers["plain"].context
    text = (source / "plainserver.py").read_text()
    fork = "    workers = ["
    assert text.count(fork) == 1
    leave = "    if os.fork() == 0:\n        os._exit(0)\n"
    (folder / "plainserver.py").write_text(text.replace(fork, leave + fork))
    (folder / "Dockerfile").write_bytes((source / "Dockerfile").read_bytes())
    cells = plan.make_cells(plain, plan.Selection(apps=("good",), select=("*-default-py311",)))
    [cell] = cells
    server = replace(cell.server, name="leaves", context=folder, process_path=(folder,))
    limits = replace(cell.limits, clients=4, rounds=3)
    run = run_cells(engine, cells=(cell, replace(cell, server=server, limits=limits)))
    assert check(run, cell.id, "reaped").outcome is Outcome.PASS
    left = check(run, "leaves-good-default-py311", "reaped")
    assert left.outcome is Outcome.FAIL
    assert left.detail.startswith("1 processes")
    assert check(run, "leaves-good-default-py311", "burst").detail.startswith("12 clients, 4 ")


def test_a_matrix_may_name_its_cells(plain):
    named = replace(plain, settings=replace(plain.settings, cells=("*-good-fds64-py311",)))
    assert [cell.id for cell in plan.make_cells(named, plan.Selection())] == [
        "plain-good-fds64-py311"
    ]
