"""``onegate.master.process_table``: what is known of children, and how they are asked to end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from onegate.config.settings import Settings
from onegate.master.process_table import Child, ProcessTable, Role
from onegate.process.hooks import Worker
from onegate.process.scoreboard import Field, Scoreboard

from tests.server.helpers import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

SEVEN = (1 << 22) + 7
"""More than a pid can be (proc(5), pid_max): a signal to it reaches nobody."""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
signal.pause()
"""


class Table(ProcessTable):
    """A table whose children have no process; the other ends of their pipes are kept."""

    def __init__(self) -> None:
        self.poll = select.poll()
        self.ends: dict[int, int] = {}
        super().__init__(self.poll)

    def made(
        self, pid: int, role: Role = Role.WORKER, generation: int = 1, *, expected: bool = False
    ) -> Child:
        status_fd, self.ends[pid] = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        worker = Worker(1, Settings(app="a"))
        child = Child(pid, role, generation, status_fd, Scoreboard(1).slot(0), worker)
        if expected:
            self.expect(child)
        else:
            self.add(child)
        return child

    def hang_up(self, pid: int) -> None:
        os.close(self.ends.pop(pid))


@contextlib.contextmanager
def a_table() -> Iterator[Table]:
    table = Table()
    try:
        yield table
    finally:
        for child in list(table):
            table.remove(child)
        for child in list(table.expected):
            table.give_up(child)
        for pid in list(table.ends):
            table.hang_up(pid)


def test_a_child_is_heard_and_hangs_up() -> None:
    with a_table() as table:
        child = table.made(SEVEN)
        fd = child.status_fd
        assert table.by_status_fd(fd) is child
        assert table.read(child) == b""
        os.write(table.ends[SEVEN], b"+-")
        assert [ready for ready, _ in table.poll.poll(0)] == [fd]
        assert table.read(child) == b"+-"
        table.hang_up(SEVEN)
        assert table.read(child) == b""
        assert child.status_fd == -1
        assert table.status_fds() == []
        assert table.poll.poll(0) == []
        assert table.read(child) == b""


def test_one_that_is_removed_leaves_nothing() -> None:
    with a_table() as table:
        child = table.made(SEVEN)
        assert child.slot is not None
        child.slot[Field.PID] = 7.0
        table.remove(child)
        assert not table
        assert table.get(SEVEN) is None
        assert child.slot[Field.PID] == 0
        table.hang_up(SEVEN)
        assert table.poll.poll(0) == []


def test_workers_are_those_that_are_meant_to_stay() -> None:
    with a_table() as table:
        old, new, told = (
            table.made(SEVEN),
            table.made(SEVEN + 1, generation=2),
            table.made(SEVEN + 2),
        )
        table.made(SEVEN + 3, Role.STATUS)
        told.terminate(1.0)
        assert table.workers() == [old, new]
        assert table.workers(2) == [new]
        assert table.having(Role.WORKER) == [old, new, told]


def test_whoever_does_not_end_is_killed() -> None:
    with (
        a_table() as table,
        subprocess.Popen((sys.executable, "-c", STUBBORN), stdout=subprocess.PIPE) as process,
        contextlib.ExitStack() as signals,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        signals.callback(process.kill)  # or a failure would wait for it
        child = table.made(process.pid)
        assert table.next_deadline == float("inf")
        child.terminate(100.0)
        far = table.next_deadline
        table.kill_overdue()
        assert child.kill_reason == ""
        child.terminate(-1.0)
        child.terminate(100.0)
        assert child.terminating
        assert table.next_deadline < far, "patience never grows"
        table.kill_overdue()
        assert process.wait(DEADLINE) == -signal.SIGKILL
        assert child.kill_reason == "did not end in time"
        assert table.next_deadline == float("inf")
        child.quit()  # there is no such process any more


def test_one_that_is_expected_is_no_child_yet() -> None:
    with a_table() as table:
        expected = table.made(0, expected=True)
        assert not table.empty
        assert len(table) == 0
        assert table.workers() == []
        assert table.status_fds() == [expected.status_fd]
        assert table.by_status_fd(expected.status_fd) is expected
        expected.terminate(1.0)  # which must not reach our process group
        os.write(table.ends[0], b"+")
        assert [ready for ready, _ in table.poll.poll(0)] == [expected.status_fd]
        expected.reported_pid(SEVEN)
        table.add(expected)
        assert table.expected == []
        assert table.get(SEVEN) is expected
        assert table.read(expected) == b"+"


def test_one_that_was_expected_and_is_given_up_leaves_nothing() -> None:
    with a_table() as table:
        expected = table.made(0, expected=True)
        assert expected.slot is not None
        expected.slot[Field.GENERATION] = 7.0
        table.give_up(expected)
        assert table.empty
        assert expected.status_fd == -1
        assert expected.slot[Field.GENERATION] == 0
        with pytest.raises(BrokenPipeError):
            os.write(table.ends[0], b"=7;")


def test_a_new_master_is_known_by_its_own_pid() -> None:
    with a_table() as table:
        child = table.made(SEVEN, Role.SUCCESSOR)
        assert str(child) == f"new master {SEVEN}"
        child.reported_pid(SEVEN + 1)
        assert str(child) == f"new master {SEVEN + 1}"
        assert table.get(SEVEN) is child, "the process in between is the child"


def test_one_retires_at_once_or_later() -> None:
    with a_table() as table:
        child = table.made(SEVEN)
        before = time.monotonic()
        child.retire_in(1000.0)
        assert not child.retiring
        assert before + 1000.0 <= table.next_deadline < float("inf")
        child.retire()
        assert child.retiring
        assert table.next_deadline == float("inf")


def test_the_first_reason_of_a_kill_is_told() -> None:
    with a_table() as table:
        child = table.made(SEVEN)
        child.abort("was stuck")
        assert child.terminating
        assert table.next_deadline < float("inf")
        child.kill("did not end in time")
        assert child.kill_reason == "was stuck"
        assert table.next_deadline == float("inf")
