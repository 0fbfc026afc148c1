"""What is executed in a cell, the same way for every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.engines import commands
from wsgi_matrix.errors import CellError


class Ran:
    """Runs nothing, and knows what it was asked to run."""

    def __init__(self, status=0):
        self.status = status
        self.asked = []

    def __call__(self, words, seconds):
        self.asked.append((tuple(words), seconds))
        return self.status, "what it said"


def test_placeholders_of_the_server_are_filled_in_with_those_of_the_engine(plain):
    [cell] = plan.make_cells(plain, plan.Selection(select=("plain-good-fds64-py311",)))
    cell = replace(cell, server=replace(cell.server, threads=3, workers=2))
    words = ("{app}", "{folder}:{port}", "-t{threads}", "-w{workers}", "{python}")
    found = commands.server_command(cell, words, folder="/srv/app", port=81, python="/bin/python3")
    assert found == [cell.app.target, "/srv/app:81", "-t3", "-w2", "/bin/python3"]


def test_set_up_runs_one_after_another_and_ends_with_the_first_that_fails():
    well = Ran()
    commands.set_up([["one"], ["two", "words"]], well)
    assert [words for words, _ in well.asked] == [("one",), ("two", "words")]
    ill = Ran(status=3)
    with pytest.raises(
        CellError, match=r"^setup failed: two 'wo rds' \(exit status 3\)$"
    ) as caught:
        commands.set_up([["two", "wo rds"], ["three"]], ill)
    assert (caught.value.log, caught.value.exit_status) == ("what it said", 3)
    assert len(ill.asked) == 1


def test_a_command_in_place_of_the_server_may_name_the_interpreter():
    ran = Ran(status=1)
    assert commands.check(["{python}", "-c", "{pythons}"], "/bin/py", ran) == (1, "what it said")
    assert ran.asked == [(("/bin/py", "-c", "{pythons}"), commands.CHECK_DEADLINE)]
