"""Generations: children that were made with the same settings. A reload makes a new one.

A new generation is on trial until a worker of it serves; the one before it is kept for that long.
"""

from __future__ import annotations

import logging
import os

from onegate.master.execution_environment import ExecutionEnvironment
from onegate.net.listeners import Listener
from onegate.process.hooks import Hooks, Server, Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings
    from onegate.master.process_table import Child
    from onegate.master.zygote import Zygote


log = logging.getLogger("onegate.error")


class Generation:
    """What its children are made with. ``number``: 1 for the first, never given again."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        context: ExecutionEnvironment,
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
        """The listener of ``--status``."""
        self.zygote: Zygote | None = None
        """The master's end of the socket to it (``--preload``)."""
        self._zygote_child: Child | None = None

    def listen(self, listeners: list[Listener], status: Listener | None) -> None:
        """Serve on these: of the first generation, which is there before it has any."""
        self.listeners, self.status = listeners, status

    def all_listeners(self) -> list[Listener]:
        """With the one for the status, if there is one."""
        return self.listeners + ([self.status] if self.status is not None else [])

    def zygote_started(self, child: Child, zygote: Zygote) -> None:
        """It has one from now on, in the process ``child``."""
        self._zygote_child, self.zygote = child, zygote

    def zygote_ended(self) -> None:
        """It has none any more."""
        if self.zygote is not None:
            self.zygote.close()
        self._zygote_child = self.zygote = None

    def is_zygote(self, child: Child) -> bool:
        """Whether ``child`` is its zygote."""
        return self.zygote is not None and child is self._zygote_child

    @property
    def zygote_serves(self) -> bool:
        """Whether workers can be forked from the zygote."""
        child = self._zygote_child
        return child is not None and child.serves and not child.terminating


class Generations:
    """The generation whose children are made now, and the one that it wants to replace."""

    def __init__(self, settings: Settings, context: ExecutionEnvironment) -> None:
        self.present = Generation(1, settings, context, Hooks(settings.hooks), [], None)
        self.server = Server(os.getpid(), settings)
        """What hooks see of the master. It is written to here alone."""
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

    def of(self, number: int) -> Generation:
        """The one of that number, if it is known still, else the present one."""
        return next((each for each in self.known if each.number == number), self.present)

    def all_listeners(self) -> list[Listener]:
        """Those that somebody needs, each once."""
        found: list[Listener] = []
        for generation in self.known:
            found += [each for each in generation.all_listeners() if each not in found]
        return found

    def zygote_ended(self, child: Child) -> None:
        """``child`` has ended: whoever had it as its zygote has none any more."""
        for generation in self.known:
            if generation.is_zygote(child):
                generation.zygote_ended()

    # ── the trial ────────────────────────────────────────────────────────────────────────────

    def put_on_trial(
        self,
        settings: Settings,
        context: ExecutionEnvironment,
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

    # ── what hooks see ───────────────────────────────────────────────────────────────────────

    def call(
        self,
        name: str,
        *arguments: object,
        of: Generation | None = None,
        cfg: Settings | None = None,
    ) -> None:
        """Call a hook that takes the server, of the present generation or of another one, whose
        settings it sees unless it is given others."""
        generation = of or self.present
        self.server.cfg = cfg or generation.settings
        generation.hooks(name, self.server, *arguments)

    def want(self, workers: int) -> None:
        """So many workers are wanted from now on."""
        self.server.num_workers = workers

    def next_worker(self, generation: Generation) -> Worker:
        """What hooks see of the worker that may be made next."""
        return Worker(self.server.worker_age + 1, generation.settings)

    def worker_begins(self, worker: Worker, generation: Generation) -> None:
        """It is about to be made."""
        self.server.worker_age = worker.age
        self.call("pre_fork", worker, of=generation)

    def worker_started(self, child: Child) -> None:
        """It has a process."""
        child.worker.pid = child.pid
        self.server.WORKERS[child.pid] = child.worker

    def worker_ended(self, child: Child) -> None:
        """Its process has ended."""
        self.server.WORKERS.pop(child.pid, None)
        self.call("child_exit", child.worker, of=self.of(child.generation))
