"""What is observed of a server that is a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from wsgi_matrix.engines.process import limits_and_usage
from wsgi_matrix.model.axes import Limits

HOLDS = "import sys; held = b'x' * int(sys.argv[1]); print(len(held), flush=True); sys.stdin.read()"
MIB = 2**20


@pytest.fixture
def running():
    """A process that holds so many octets, leader of a session, until the test ends."""
    made = []

    def start(octets):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(octets)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        made.append(process)
        assert process.stdout.readline()
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate()


def test_what_cannot_be_had_of_the_limits_has_its_reason():
    asked = Limits(name="some", nproc=7, memory=MIB)
    found = limits_and_usage.limits(os.getpid(), asked, own_uid=False)
    assert (found.nproc, found.memory) == (None, None)
    assert found.why_not == {
        "memory": limits_and_usage.NO_CGROUP,
        "nproc": limits_and_usage.NO_UID,
    }
    assert limits_and_usage.limits(os.getpid(), Limits(), own_uid=True).why_not == {}


def test_memory_is_that_of_the_session_and_none_where_it_has_ended(running):
    small, large = running(1), running(64 * MIB)
    more = limits_and_usage.memory(large.pid) - limits_and_usage.memory(small.pid)
    # Not to the page: what else a process touches differs a little.
    assert 60 * MIB <= more <= 68 * MIB
    large.kill()
    large.wait()
    assert limits_and_usage.memory(large.pid) is None
    with pytest.raises(OSError, match="No such file"):
        limits_and_usage.limits(large.pid, Limits(), own_uid=True)
