"""Generations: children that were made with the same settings. A reload makes a new one.

A new generation is on trial until a worker of it serves; the one before it is kept for that long.
"""

from __future__ import annotations

import logging
import os

from onegate._frozen import Record
from onegate.master.fork_context import ForkContext
from onegate.master.process_table import Child
from onegate.net.listener import Listener
from onegate.process.hooks import Hooks, Server, Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings
    from onegate.master.zygote import Template


log = logging.getLogger("onegate.error")


class Nest(Record):
    """What every child of a generation is given."""

    settings: Settings
    context: ForkContext
    hooks: Hooks
    server: Server
    worker: Worker
    """Of a worker, what hooks see."""
    listeners: list[Listener]
    status: Listener | None
    lifeline: int
    """Read end of a pipe that only the master holds open: at its end the master is gone."""
    activated: list[int]
    """Descriptors of socket activation."""
    began: float
    """Unix time of the fork: what was written since is not what was loaded."""


class Generation:
    """What its children are made with. ``number``: 1 for the first, never given again."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        context: ForkContext,
        hooks: Hooks,
        listeners: list[Listener],
        status: Listener | None,
    ) -> None:
        self.number = number
        self.settings = settings
        self.context = context
        self.hooks = hooks
        self.listeners = listeners
        self.status = status
        self.template: tuple[Child, Template] | None = None
        """The process that workers are forked from, and the line to it (``--preload``)."""

    def all_listeners(self) -> list[Listener]:
        """With the one for the status, if there is one."""
        return self.listeners + ([self.status] if self.status is not None else [])

    def template_serves(self) -> bool:
        """Whether workers can be forked from the template."""
        return self.template is not None and self.template[0].serves


class Generations:
    """The generation whose children are made now, and the one that it wants to replace."""

    def __init__(self, settings: Settings, context: ForkContext) -> None:
        self.present = Generation(1, settings, context, Hooks(settings.hooks), [], None)
        self.server = Server(os.getpid(), settings)
        """What hooks see of the master."""
        self.before: Generation | None = None
        """What to go back to while the present one is on trial."""
        self._newest = 1

    @property
    def on_trial(self) -> bool:
        """Whether the present generation has yet to show that it serves."""
        return self.before is not None

    @property
    def proven(self) -> Generation:
        """The last one that has served, or the first; its settings are the master's."""
        return self.before or self.present

    @property
    def known(self) -> list[Generation]:
        """The present one, and the one before it while that may be needed."""
        return [self.present] if self.before is None else [self.before, self.present]

    def call(self, name: str, *arguments: object, of: Generation | None = None) -> None:
        """Call a hook that takes the server, of the present generation or of another one."""
        generation = of or self.present
        self.server.cfg = generation.settings
        generation.hooks(name, self.server, *arguments)

    def of(self, number: int) -> Generation:
        """The one of that number, if it is known still, else the present one."""
        return next((each for each in self.known if each.number == number), self.present)

    def all_listeners(self) -> list[Listener]:
        """Those that somebody needs, each once."""
        found: list[Listener] = []
        for generation in self.known:
            found += [each for each in generation.all_listeners() if each not in found]
        return found

    def put_on_trial(
        self,
        settings: Settings,
        context: ForkContext,
        hooks: Hooks,
        listeners: list[Listener],
        status: Listener | None,
    ) -> None:
        """One worker is made with these; the rest follows when that one serves."""
        self._newest += 1
        self.before = self.present
        self.present = Generation(self._newest, settings, context, hooks, listeners, status)

    def adopt(self) -> Generation:
        """The trial is over, the present one serves: this process enters its context. The one
        that it replaces."""
        replaced, self.before = self.before, None
        assert replaced is not None
        try:
            self.present.context.enter()
        except OSError as error:
            # A network file system that is away: children try it again, and say so.
            log.error("--chdir: %s", error.strerror)
        return replaced

    def go_back(self) -> Generation:
        """The trial is over, the present one does not serve. The one that failed."""
        failed = self.present
        self.present, self.before = self.proven, None
        failed.context.close()
        return failed

    def forget(self, child: Child) -> None:
        """A child has ended: if it was a template, there is none."""
        for generation in self.known:
            if generation.template is not None and generation.template[0] is child:
                generation.template[1].close()
                generation.template = None
