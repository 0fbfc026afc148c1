"""A master's state without a master, and children of it without processes."""

from __future__ import annotations

import errno
import logging
import os
from itertools import count
from typing import TYPE_CHECKING

from onegate.config.settings import Settings
from onegate.logs import log_files
from onegate.master.execution_environment import ExecutionEnvironment, start
from onegate.master.process_table import Child, Role
from onegate.master.state import MasterState
from onegate.process.hooks import Hooks
from onegate.process.hooks import Worker as HookWorker
from onegate.process.scoreboard import Field

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from onegate.master.child_main import ChildSpec
    from onegate.master.generations import Generation
    from onegate.process.scoreboard import Slot

_NOBODY = 1 << 22
"""From here on no process can have a pid (proc(5), pid_max): a signal to it reaches nobody."""


class ClosableState(MasterState):
    """A master's state, with a first generation that has these settings. To be closed."""

    def __init__(self, **settings: Any) -> None:
        given = Settings(app="served:app", **settings)
        self._contexts = [ExecutionEnvironment(given, start())]
        super().__init__(given, self._contexts[0])
        self._ends: dict[Child, int] = {}
        """The children's ends of their pipes."""

    def put_on_trial(self, **settings: Any) -> Generation:
        """Put a generation with these settings on trial."""
        given = Settings(app="served:app", **settings)
        self._contexts.append(ExecutionEnvironment(given, start()))
        self.generations.put_on_trial(given, self._contexts[-1], Hooks(), [], None)
        return self.generations.present

    def status_pipe(self, child: Child, end: int) -> None:
        """``child`` reports on ``end``."""
        self._ends[child] = end

    def report(self, child: Child, octets: bytes) -> None:
        """Have a child report something."""
        os.write(self._ends[child], octets)

    def hang_up(self, child: Child) -> None:
        """Have it report nothing more."""
        os.close(self._ends.pop(child))

    def close(self) -> None:
        """Close all descriptors."""
        for child in list(self._ends):
            self.hang_up(child)
        for context in self._contexts:
            context.close()
        for descriptor in (*self.private_fds, self.lifeline):
            os.close(descriptor)


def uninstall_logs() -> None:
    """Undo what configuring the logs, or entering the context of a generation, has done."""
    parent = logging.getLogger("onegate")
    for handler in parent.handlers[:]:
        if isinstance(handler, log_files.Handler):
            parent.removeHandler(handler)
    while log_files._present:
        log_files._present.pop().close()
    parent.propagate = True
    parent.setLevel(logging.NOTSET)


class FakeSpawner:
    """In the place of a Spawner: children are entered in the table, and nothing runs.

    ``refuse``: there is no process any more.
    """

    def __init__(self, state: ClosableState) -> None:
        self.state = state
        self.refuse = False
        self._pids = count(_NOBODY)

    def spawn(
        self,
        role: Role,
        generation: Generation,
        main: Callable[[ChildSpec], None],
        slot: Slot | None = None,
    ) -> Child:
        """A child, which is only expected if a zygote makes it."""
        if self.refuse:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        status_fd, end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        expected = slot is not None and generation.zygote is not None
        pid = 0 if expected else next(self._pids)
        worker = HookWorker(1, generation.settings)
        child = Child(pid, role, generation.number, status_fd, slot, worker)
        self.state.status_pipe(child, end)
        if role is Role.ZYGOTE:
            generation.zygote_started(child, FakeZygote())  # type: ignore[arg-type]
        if expected:
            self.state.processes.expect(child)
        else:
            self.enter(child)
        return child

    def enter(self, child: Child) -> None:
        """As that of a Spawner."""
        if child.slot is not None:
            child.slot[Field.PID] = child.pid
        self.state.processes.add(child)

    def announce(self, child: Child) -> int:
        """The pid that a child gets which was expected; it reports it."""
        pid = next(self._pids)
        self.state.report(child, b"=%d;" % pid)
        return pid


class FakeZygote:
    """Does nothing."""

    def close(self) -> None:
        """As that of a Zygote."""
