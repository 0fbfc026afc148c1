"""``onegate.master.spawner``: what becomes of a fork that the system refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from pathlib import Path

import pytest
from onegate.master.process_table import Role
from onegate.master.spawner import Spawner
from onegate.process.subreaper import adopt_orphans

from tests.server.masters import ClosableState


def no_process() -> int:
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_a_fork_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    adopt_orphans()  # once in a process; libffi may keep a descriptor of its own
    monkeypatch.setattr(os, "fork", no_process)
    with contextlib.closing(ClosableState()) as state:
        before = len(list(Path("/proc/self/fd").iterdir()))
        slot = state.scoreboard.take() if role is Role.WORKER else None
        with pytest.raises(OSError, match="Resource temporarily unavailable"):
            Spawner(state).spawn(role, state.generations.present, never, slot)
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
        assert not state.processes
        assert not state.scoreboard.used()
        assert state.generations.present.zygote is None


def never(_: object) -> None:
    raise AssertionError("it has been run")
