"""A command under the launcher, as the harness sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import pytest
from wsgi_matrix.engines.process.launch import Launch
from wsgi_matrix.errors import CellError

from tests.matrix.helpers import gone

SLEEPS = "import signal; print('there', flush=True); signal.pause()"


@pytest.fixture
def launch(tmp_path):
    """Launches ``python -c code``, or another command."""
    log = tmp_path / "log"
    log.touch()

    @contextlib.contextmanager
    def launched(*code, command=(sys.executable, "-c")):
        made = Launch(
            [*command, *code],
            environment={},
            folder=tmp_path,
            limits={"nofile": 64},
            log=log,
            uid=None,
        )
        with contextlib.closing(made):
            yield made

    return launched


def test_the_end_of_a_command_is_heard_and_heard_again(launch, tmp_path):
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)); raise SystemExit(3)"
    began = time.time()
    with launch(code) as launched:
        launched.begun()
        assert began <= launched.started <= time.time()
        assert launched.read_message(20) == {"status": 3, "left": 0}
        assert launched.read_message(0) == {"status": 3, "left": 0}
        launched.signal(signal.SIGTERM)  # it has ended: nobody is signalled
    assert (tmp_path / "log").read_text() == "(64, 64)\n"


def test_nothing_is_heard_of_a_command_that_runs_until_it_is_signalled(launch):
    with launch(SLEEPS) as launched:
        launched.begun()
        assert os.getsid(launched.pid) == launched.pid
        assert launched.read_message(0) is None
        launched.signal(signal.SIGTERM)
        assert launched.read_message(20) == {"status": 128 + signal.SIGTERM, "left": 0}


def test_a_command_is_killed_without_a_status_of_its_own(launch):
    with launch(SLEEPS) as launched:
        launched.begun()
        launched.kill()
        assert launched.read_message(20) == {"status": None, "left": 1}


def test_closing_leaves_neither_the_command_nor_its_launcher(launch):
    with launch(SLEEPS) as launched:
        launched.begun()
    assert gone(launched.pid)
    assert gone(launched.launcher.pid)


def test_a_command_that_cannot_be_executed_did_not_begin(launch):
    with (
        launch(command=("/nowhere/python",)) as launched,
        pytest.raises(CellError, match="could not be started: FileNotFoundError"),
    ):
        launched.begun()
