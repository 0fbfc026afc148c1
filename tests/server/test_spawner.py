"""``onegate.master.spawner``: what becomes of a fork that the system refuses."""

from __future__ import annotations

import errno
import os
import select
import signal
from pathlib import Path

import pytest
from onegate.config.settings import Settings
from onegate.master.backoff import Backoff
from onegate.master.fork_context import ForkContext, start
from onegate.master.generations import Generations
from onegate.master.process_table import ProcessTable, Role
from onegate.master.spawner import Spawner
from onegate.master.upgrade import Succession
from onegate.process.scoreboard import Scoreboard
from onegate.process.subreaper import adopt_orphans


def no_process() -> int:
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_a_fork_that_fails_leaves_nothing_and_is_tried_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, role: Role
) -> None:
    processes = ProcessTable(select.poll())
    settings = Settings(app="served:app")
    generations = Generations(settings, ForkContext(settings, start()))
    scoreboard = Scoreboard(1)
    backoff = Backoff()
    spawner = Spawner(
        processes, generations, scoreboard, Succession(), backoff, activated=[], private=[]
    )
    adopt_orphans()  # once in a process; libffi may keep a descriptor of its own
    monkeypatch.setattr(os, "fork", no_process)
    before = len(list(Path("/proc/self/fd").iterdir()))
    slot = scoreboard.take() if role is Role.WORKER else None
    assert not spawner.fork(role, generations.present, slot)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    assert backoff.waits
    assert f"cannot fork a {role.value}: Resource temporarily unavailable" in caplog.text
    assert not processes
    assert not scoreboard.used()
    assert generations.present.template is None
