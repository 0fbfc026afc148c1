"""What a master knows: one record, which all of its parts are made with.

Each part is changed by its own methods alone; here they are only put together.
"""

from __future__ import annotations

import os
import select

from onegate.master.generations import Generations
from onegate.master.process_table import ProcessTable
from onegate.master.upgrade_handover import UpgradeHandover
from onegate.process.pidfile import PidFile
from onegate.process.scoreboard import Scoreboard
from onegate.process.signals import SelfPipe
from onegate.process.systemd import Notifier, activated_descriptors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings
    from onegate.master.execution_environment import ExecutionEnvironment


class MasterState:
    """``settings`` and ``context``: those of the first generation."""

    def __init__(self, settings: Settings, context: ExecutionEnvironment) -> None:
        self.generations = Generations(settings, context)
        """What children are made with."""
        self.poll = select.poll()
        """What the loop waits for."""
        self.processes = ProcessTable(self.poll)
        """The children."""
        self.scoreboard = Scoreboard()
        """Numbers of workers and of the master, in shared memory."""
        self.handover = UpgradeHandover(self.poll)
        """What is shared with the master before this one, or after it."""
        self.notifier = Notifier(silent=self.handover.pending)
        """What tells the service manager how things stand."""
        self.pidfile = PidFile(settings.pidfile)
        """What says to others which process is the master."""
        self.activated = activated_descriptors() or self.handover.activated
        """Descriptors of socket activation."""
        self.signals = SelfPipe()
        """Those that came and were not handled yet."""
        self.lifeline, self._lifeline_write = os.pipe2(os.O_CLOEXEC)
        """Read end of a pipe that this process alone holds open: at its end the master is gone."""

    @property
    def private_fds(self) -> list[int]:
        """Descriptors that no child may keep."""
        return [*self.signals.descriptors, self._lifeline_write, *self.processes.status_fds()]

    @property
    def graceful_timeout(self) -> float:
        """Seconds that a process has to finish its requests."""
        return self.generations.proven.settings.graceful_timeout

    def count(self, total: int) -> None:
        """Add one to a :class:`onegate.process.scoreboard.Total`."""
        self.scoreboard.totals[total] += 1
