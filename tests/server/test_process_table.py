"""``onegate.master.process_table``: what is known of children, and how they are asked to end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from onegate.config.settings import Settings
from onegate.master.process_table import Child, ProcessTable, Role
from onegate.process.hooks import Worker
from onegate.process.scoreboard import Field, Scoreboard

from tests.server.helpers import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

SEVEN = (1 << 22) + 7
"""More than a process number can be (proc(5), pid_max): a signal to it reaches nobody."""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
signal.pause()
"""


class Table(ProcessTable):
    """A table whose children have no process; the other ends of their lines are kept."""

    def __init__(self) -> None:
        self.poll = select.poll()
        self.ends: dict[int, int] = {}
        super().__init__(self.poll)

    def made(self, pid: int, role: Role = Role.WORKER, generation: int = 1) -> Child:
        line, self.ends[pid] = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        worker = Worker(1, Settings(app="a"))
        child = Child(pid, role, generation, line, Scoreboard(1).slot(0), worker)
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
        for pid in list(table.ends):
            table.hang_up(pid)


def test_a_child_is_heard_and_hangs_up() -> None:
    with a_table() as table:
        child = table.made(SEVEN)
        line = child.line
        assert table.at(line) is child
        assert table.hear(child) == b""
        os.write(table.ends[SEVEN], b"+-")
        assert [fd for fd, _ in table.poll.poll(0)] == [line]
        assert table.hear(child) == b"+-"
        table.hang_up(SEVEN)
        assert table.hear(child) == b""
        assert child.line == -1
        assert table.lines() == []
        assert table.poll.poll(0) == []
        assert table.hear(child) == b""


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
        told.told = True
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
        assert table.due == float("inf")
        child.end(100.0)
        far = table.due
        table.kill_overdue()
        assert child.reason == ""
        child.end(-1.0)
        child.end(100.0)
        assert child.told
        assert table.due < far, "patience never grows"
        table.kill_overdue()
        assert process.wait(DEADLINE) == -signal.SIGKILL
        assert child.reason == "did not end in time"
        assert table.due == float("inf")
        child.end_at_once()  # there is no such process any more
