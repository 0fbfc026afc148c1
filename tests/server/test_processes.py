"""``tests.server.processes``: what is read of processes that come and go."""

from __future__ import annotations

import os
import subprocess

from tests.server.processes import by_age, children, parent, running, state


def test_one_that_has_ended_meanwhile_is_left_out() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as older:
        assert by_age([ended.pid, older.pid, os.getpid()]) == [os.getpid(), older.pid]
        assert (older.pid in children(os.getpid()), parent(older.pid)) == (True, os.getpid())
    assert (state(ended.pid), running(ended.pid), children(ended.pid)) == ("", False, {})
