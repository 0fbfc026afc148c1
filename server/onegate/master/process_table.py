"""The master's children: what it knows of each, and how it asks one to end.

A child reports through a pipe (:mod:`onegate.process.status_pipe` says what), whose end of file is
its end. One that a zygote makes is expected until it has reported its pid.
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

_KILL_AFTER = 1.0
"""Seconds that a child has for its end beyond what it is given to finish its requests."""
_NEVER = float("inf")


class Role(Enum):
    """What a child is for."""

    WORKER = "worker"
    ZYGOTE = "zygote"
    STATUS = "status process"
    SUCCESSOR = "new master"


class Child:
    """What the master knows of a child. Its attributes are changed by its methods alone.

    ``pid``: 0 while it is expected. ``status_fd``: read end of the pipe through which it reports;
    -1 when that is closed.
    """

    def __init__(
        self,
        pid: int,
        role: Role,
        generation: int,
        status_fd: int,
        slot: Slot | None,
        worker: Worker,
    ) -> None:
        self.pid = pid
        self.role = role
        self.generation = generation
        """Number of the one that it belongs to."""
        self.status_fd = status_fd
        self.slot = slot
        self.worker = worker
        """Of a worker, what hooks see."""
        self.since = time.monotonic()
        """Monotonic second of its fork, or at which it was requested."""
        self.serves = False
        self.retiring = False
        """It wants to be replaced."""
        self.retire_at = _NEVER
        """Monotonic second at which it does, if that is put off."""
        self.terminating = False
        """It has been told to end."""
        self.kill_at = _NEVER
        """Monotonic second at which it is killed if it has not ended."""
        self.kill_reason = ""
        """Why we killed it, for the log."""
        self.main_pid = pid
        """The pid that it is known by: of a new master, not of the process in between."""

    def __str__(self) -> str:
        return f"{self.role.value} {self.main_pid}"

    # ── what it reports ──────────────────────────────────────────────────────────────────────

    def reported_pid(self, pid: int) -> None:
        """This is the process that does its work: it, if it was expected, or a child of its."""
        if not self.pid:
            self.pid, self.since = pid, time.monotonic()
        self.main_pid = pid

    def reported_serving(self) -> None:
        """It does its work from now on."""
        self.serves = True

    def retire(self) -> None:
        """It is to be replaced: now, or as soon as another one serves."""
        self.retiring = True
        self.retire_at = _NEVER

    def retire_in(self, seconds: float) -> None:
        """It is to be replaced, but not yet."""
        self.retire_at = time.monotonic() + seconds

    def close_status_fd(self) -> None:
        """It has nothing more to report."""
        if self.status_fd >= 0:
            os.close(self.status_fd)
            self.status_fd = -1

    # ── its end ──────────────────────────────────────────────────────────────────────────────

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal. One that has ended already needs none. The process between us and a new
        master ends as that one does."""
        if self.main_pid:  # 0 would be all of our process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.main_pid, number)

    def terminate(self, graceful_timeout: float) -> None:
        """Have it end when it has finished its requests, within ``graceful_timeout`` seconds."""
        self._end(signal.SIGTERM, graceful_timeout + _KILL_AFTER)

    def quit(self) -> None:
        """Have it end at once."""
        self._end(signal.SIGQUIT, _KILL_AFTER)

    def abort(self, reason: str) -> None:
        """Have it show where it is stuck, and then end. ``reason``: what it did, for the log."""
        self.kill_reason = reason
        self.terminating = True
        self.kill_at = time.monotonic() + _KILL_AFTER
        self.send_signal(signal.SIGABRT)

    def kill(self, reason: str) -> None:
        """End it by force. ``reason``: what it did, for the log, unless there is one already."""
        self.kill_reason = self.kill_reason or reason
        self.terminating = True
        self.kill_at = _NEVER
        self.send_signal(signal.SIGKILL)

    def _end(self, number: signal.Signals, seconds: float) -> None:
        self.terminating = True
        self.kill_at = min(self.kill_at, time.monotonic() + seconds)
        self.send_signal(number)


class ProcessTable:
    """The children by pid. ``poll`` watches what they report.

    ``expected``: workers that were requested of a zygote and have not reported their pid.
    """

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._children: dict[int, Child] = {}
        self.expected: list[Child] = []

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children.values())

    def __len__(self) -> int:
        return len(self._children)

    @property
    def empty(self) -> bool:
        """Whether there is no child, and none expected."""
        return not self._children and not self.expected

    def get(self, pid: int) -> Child | None:
        """The child of that pid, if there is one."""
        return self._children.get(pid)

    def expect(self, child: Child) -> None:
        """A child was requested; what it reports first is its pid."""
        self.expected.append(child)
        self._poll.register(child.status_fd, select.POLLIN)

    def give_up(self, child: Child) -> None:
        """One that was expected does not come. If it does, its pipe is broken, and it ends."""
        self.expected.remove(child)
        self._close(child)
        if child.slot is not None:
            child.slot.clear()

    def add(self, child: Child) -> None:
        """There is a child, whether it was expected or not."""
        if child in self.expected:
            self.expected.remove(child)
        else:
            self._poll.register(child.status_fd, select.POLLIN)
        self._children[child.pid] = child

    def remove(self, child: Child) -> None:
        """Forget a child; its slot is free for another one."""
        del self._children[child.pid]
        self._close(child)
        if child.slot is not None:
            child.slot.clear()

    def by_status_fd(self, descriptor: int) -> Child:
        """The child that reports there."""
        return next(child for child in self._reporting() if child.status_fd == descriptor)

    def read(self, child: Child) -> bytes:
        """What a child has reported since it was last read."""
        if child.status_fd < 0:
            return b""
        try:
            reported = os.read(child.status_fd, 64)
        except BlockingIOError:
            return b""  # it has ended, but a process of its own still holds the pipe
        if not reported:
            self._close(child)
        return reported

    def _close(self, child: Child) -> None:
        if child.status_fd >= 0:
            self._poll.unregister(child.status_fd)
            child.close_status_fd()

    def status_fds(self) -> list[int]:
        """The pipes of all of them."""
        return [child.status_fd for child in self._reporting() if child.status_fd >= 0]

    def _reporting(self) -> list[Child]:
        return [*self._children.values(), *self.expected]

    def having(self, role: Role) -> list[Child]:
        """Those of a role, also those that have been told to end."""
        return [child for child in self if child.role is role]

    def workers(self, generation: int | None = None) -> list[Child]:
        """Workers that are meant to stay, of one generation or of all."""
        return [
            child
            for child in self.having(Role.WORKER)
            if not child.terminating and generation in (None, child.generation)
        ]

    def kill_overdue(self) -> None:
        """Kill those that have not ended in time."""
        now = time.monotonic()
        for child in self:
            if now >= child.kill_at:
                child.kill("did not end in time")

    @property
    def next_deadline(self) -> float:
        """Monotonic second at which the first of them is to be killed, or to retire."""
        return min((min(child.kill_at, child.retire_at) for child in self), default=_NEVER)
