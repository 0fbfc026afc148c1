"""A master's state without a master, and children of it without a process."""

from __future__ import annotations

import errno
import os
from itertools import count
from typing import TYPE_CHECKING

from onegate.config.settings import Settings
from onegate.master.generation_context import GenerationContext, start
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


def a_state(**settings: Any) -> MasterState:
    """With a first generation that has these settings."""
    given = Settings(app="served:app", **settings)
    return MasterState(given, GenerationContext(given, start()))


def put_on_trial(state: MasterState, **settings: Any) -> Generation:
    """Put a generation with these settings on trial."""
    given = Settings(app="served:app", **settings)
    state.generations.put_on_trial(given, GenerationContext(given, start()), Hooks(), [], None)
    return state.generations.present


class FakeSpawner:
    """In the place of a Spawner: children are entered in the table, and nothing runs.

    ``refuse``: there is no process any more. ``ends``: the other ends of their pipes.
    """

    def __init__(self, state: MasterState) -> None:
        self.state = state
        self.refuse = False
        self.ends: dict[Child, int] = {}
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
        self.ends[child] = end
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
        os.write(self.ends[child], b"=%d;" % pid)
        return pid


class FakeZygote:
    """Does nothing."""

    def close(self) -> None:
        """As that of a Zygote."""
