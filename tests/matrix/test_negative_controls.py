"""The checks can fail: each of these turns the matrix red, with a message that names the culprit.

Engine-neutral: on processes, and on containers where an engine answers.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.errors import Exit
from wsgi_matrix.model.outcome_semantics import exit_code, red
from wsgi_matrix.model.results import Outcome

from tests.matrix.helpers import EngineProxy


@pytest.fixture(scope="session")
def culprits():
    """Cells that are red, with all that is said of them."""

    def find(run):
        found = {}
        for cell, check in red(run):
            found.setdefault(cell, {})[check.id] = check.detail
        return found

    return find


def test_two_good_apps_are_green(engine, run_cells):
    run = run_cells(engine, apps=("good", "other"), limits=("default", "fds64"))
    assert red(run) == []
    assert exit_code(run) is Exit.OK


def test_a_body_that_differs_by_one_byte(engine, run_cells, culprits):
    run = run_cells(engine, apps=("good", "other", "onebyte"))
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-onebyte-default-py311"
    assert cell in said["identical"]
    assert (
        "body, octet 12: expected b'Hello, World!\\n', got b'Hello, World?\\n'" in said["identical"]
    )
    assert exit_code(run) is Exit.FAILED


def test_one_header_field_more(engine, run_cells, culprits):
    run = run_cells(engine, apps=("good", "other", "extra"))
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-extra-default-py311"
    assert list(said) == ["identical"]  # alone, the cell is fine: only the comparison sees it
    assert "X-Extra: 1" in said["identical"]


def test_one_changed_server_file_in_one_cell(engine, plain, run_cells, culprits, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(plain.servers["plain"].context, folder)
    with (folder / "plainserver.py").open("a") as file:
        file.write("# changed\n")
    changed = replace(plain.servers["plain"], context=folder, process_path=(folder,))
    second = type(engine)(plain.build)  # it knows a server of that name with other files

    class Rebuilt(EngineProxy):
        def prepare(self, cells, phase):
            self._engine.prepare(cells, phase)
            second.prepare([replace(cell, server=changed) for cell in cells], phase)

        def open(self, cell):
            if cell.id == "plain-good-fds64-py311":
                return second.open(replace(cell, server=changed))
            return self._engine.open(cell)

    with contextlib.closing(second):
        run = run_cells(Rebuilt(engine), apps=("good", "other"), limits=("default", "fds64"))
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-good-fds64-py311"
    assert sorted(said) == ["same-image", "same-server"]
    assert cell in said["same-image"]
    assert exit_code(run) is Exit.FAILED


def test_a_limit_that_was_not_applied(engine, run_cells, culprits):
    class Forgetful(EngineProxy):
        def open(self, cell):
            applied = cell
            if cell.app.name == "other":
                applied = replace(cell, limits=replace(cell.limits, nofile=None))
            return self._engine.open(applied)

    run = run_cells(Forgetful(engine), apps=("good", "other"), limits=("fds64",))
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-other-fds64-py311"
    assert list(said) == ["limits-applied"]
    assert "nofile: requested 64, observed" in said["limits-applied"]
    assert exit_code(run) is Exit.SETUP


def test_a_server_that_dies_at_start(engine, plain, run_cells, culprits):
    settings = replace(plain.settings, deadline=1000.0)  # its death ends the wait
    run = run_cells(engine, apps=("good", "missing"), settings=settings)
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-missing-default-py311"
    assert list(said) == ["start"]
    assert "exit status 1" in said["start"]
    assert "ModuleNotFoundError: No module named 'nowhere_to_be_found'" in said["start"]
    assert exit_code(run) is Exit.SETUP


def test_an_app_that_cannot_be_called(engine, run_cells, culprits):
    run = run_cells(engine, apps=("good", "notcallable"))
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-notcallable-default-py311"
    assert "status line" in said["hello-response"]
    assert "500" in said["hello-response"]


def test_an_app_that_hangs_meets_a_deadline(engine, plain, run_cells, culprits):
    settings = replace(plain.settings, deadline=12.0, grace=2.0)
    run = run_cells(engine, apps=("good", "hangs"), settings=settings)
    [(cell, said)] = culprits(run).items()
    assert cell == "plain-hangs-default-py311"
    assert "no response after" in said["hello-response"]
    assert "timed out" in said["burst"]
    assert exit_code(run) is Exit.FAILED


def test_a_server_that_does_not_stop_is_killed_and_red(engine, plain, run_cells, culprits):
    cells = plan.make_cells(plain, plan.Selection(apps=("good",), select=("*-default-py311",)))
    # SIGURG is ignored by default: a server that is asked to stop with it never hears it.
    cells = tuple(replace(c, server=replace(c.server, stop_signal="SIGURG")) for c in cells)
    run = run_cells(engine, cells=cells, settings=replace(plain.settings, grace=0.5))
    [(_, said)] = culprits(run).items()
    assert list(said) == ["clean-exit"]
    assert "still running after SIGURG" in said["clean-exit"]


def test_a_defect_of_an_engine_is_red_and_takes_no_other_cell_along(process_engine, run_cells):
    class Broken(EngineProxy):
        @contextlib.contextmanager
        def open(self, cell):
            if cell.app.name == "other":
                raise ZeroDivisionError("a defect")
            with self._engine.open(cell) as running:
                yield running

    run = run_cells(Broken(process_engine), apps=("good", "other"))
    assert [result.outcome for result in run.cells] == [Outcome.PASS, Outcome.ERROR]
    assert "ZeroDivisionError: a defect" in run.cells[1].checks[0].detail
