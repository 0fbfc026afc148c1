"""What the master knows of its children, and what it gives them.

Children that were made with the same settings are a generation; a reload makes a new one.
"""

from __future__ import annotations

import time
from enum import Enum

from onegate.hooks import Hooks
from onegate.listeners import Listener
from onegate.record import Record
from onegate.scoreboard import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.settings.model import Settings
    from onegate.template import Template


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

    def __init__(self, role: Role, generation: int, line: int, slot: Slot | None) -> None:
        self.role = role
        self.generation = generation
        self.line = line
        self.slot = slot
        self.since = now()
        self.serves = False
        self.retiring = False
        """It asks to be replaced."""
        self.told = False
        """It has been asked to end."""
        self.kill_at = float("inf")
        self.reason = ""
        """Why we killed it, for the log."""


class Nest(Record):
    """What every child of a generation is given."""

    settings: Settings
    hooks: Hooks
    listeners: list[Listener]
    status: Listener | None
    lifeline: int
    """Read end of a pipe that only the master holds open: at its end the master is gone."""
    activated: list[int]
    """Descriptors of socket activation."""
    began: float
    """Unix time of the fork: what was written since is not what was loaded."""


class Before(Record):
    """What a generation on trial wants to take the place of."""

    generation: int
    listeners: list[Listener]
    status: Listener | None
    template: tuple[int, Template] | None
    hooks: Hooks

    def all_listeners(self) -> list[Listener]:
        """With the one for the status, if there is one."""
        return self.listeners + ([self.status] if self.status is not None else [])


def now() -> float:
    """Monotonic seconds."""
    return time.monotonic()
