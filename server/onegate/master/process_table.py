"""The master's children: what it knows of each, and how it asks one to end.

A child tells of itself through a pipe, its line: ``+`` when it serves, ``-`` when it wants to be
replaced, ``m`` when it does because of its memory,
``=N;`` for the number of a new master, end of file when it is gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from enum import Enum

from onegate.process.hooks import Worker
from onegate.process.scoreboard import Slot


class Role(Enum):
    """What a child is for."""

    WORKER = "worker"
    TEMPLATE = "template"
    STATUS = "status process"
    SUCCESSOR = "new master"


class Child:
    """What the master knows of a child.

    ``line``: read end of the pipe through which it tells of itself; -1 when it has hung up.
    """

    def __init__(
        self,
        pid: int,
        role: Role,
        generation: int,
        line: int,
        slot: Slot | None,
        worker: Worker,
    ) -> None:
        self.pid = pid
        self.role = role
        self.generation = generation
        self.line = line
        self.slot = slot
        self.worker = worker
        """Of a worker, what hooks see."""
        self.since = time.monotonic()
        self.serves = False
        self.retiring = False
        """It asks to be replaced."""
        self.retire_at = float("inf")
        """Monotonic second at which it does, if that is put off."""
        self.told = False
        """It has been asked to end."""
        self.kill_at = float("inf")
        """Monotonic second at which patience ends."""
        self.reason = ""
        """Why we killed it, for the log."""
        self.named = pid
        """The number that it is called by: of a new master, not of the process in between."""

    def __str__(self) -> str:
        return f"{self.role.value} {self.named}"

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal. One that has ended already needs none. The process between us and a new
        master ends as that one does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.named, number)

    def end(self, graceful_timeout: float) -> None:
        """Ask it to end when it has answered what it has begun; it has so many seconds for that."""
        self._end(signal.SIGTERM, graceful_timeout + 1.0)

    def end_at_once(self) -> None:
        """Ask it to end now."""
        self._end(signal.SIGQUIT, 1.0)

    def _end(self, number: signal.Signals, patience: float) -> None:
        self.told = True
        self.kill_at = min(self.kill_at, time.monotonic() + patience)
        self.send_signal(number)


class ProcessTable:
    """The children by process number. ``poll`` watches their lines."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._children: dict[int, Child] = {}

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children.values())

    def __len__(self) -> int:
        return len(self._children)

    def get(self, pid: int) -> Child | None:
        """The child of that number, if there is one."""
        return self._children.get(pid)

    def add(self, child: Child) -> None:
        """Listen to a child from now on."""
        self._children[child.pid] = child
        self._poll.register(child.line, select.POLLIN)

    def remove(self, child: Child) -> None:
        """Forget a child; its slot is free for another one."""
        del self._children[child.pid]
        self._hang_up(child)
        if child.slot is not None:
            child.slot.clear()

    def at(self, line: int) -> Child:
        """The child at the other end of ``line``."""
        return next(child for child in self if child.line == line)

    def hear(self, child: Child) -> bytes:
        """What a child has said since; notes that it has hung up."""
        if child.line < 0:
            return b""
        try:
            said = os.read(child.line, 16)
        except BlockingIOError:
            return b""  # it has ended, but a process of its own still holds the pipe
        if not said:
            self._hang_up(child)
        return said

    def _hang_up(self, child: Child) -> None:
        if child.line >= 0:
            self._poll.unregister(child.line)
            os.close(child.line)
            child.line = -1

    def lines(self) -> list[int]:
        """The descriptors of all lines."""
        return [child.line for child in self if child.line >= 0]

    def having(self, role: Role) -> list[Child]:
        """Those of a role, be they told to end or not."""
        return [child for child in self if child.role is role]

    def workers(self, generation: int | None = None) -> list[Child]:
        """Workers that are meant to stay, of one generation or of all."""
        return [
            child
            for child in self.having(Role.WORKER)
            if not child.told and generation in (None, child.generation)
        ]

    def kill_overdue(self) -> None:
        """Kill those with whom patience has ended."""
        for child in self:
            if time.monotonic() >= child.kill_at:
                child.kill_at = float("inf")
                child.reason = child.reason or "did not end in time"
                child.send_signal(signal.SIGKILL)

    @property
    def due(self) -> float:
        """Monotonic second at which patience ends with the first of them, or one retires."""
        return min((min(child.kill_at, child.retire_at) for child in self), default=float("inf"))
