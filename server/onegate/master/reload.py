"""HUP: the configuration is read anew, and a new generation put on trial.

It is adopted when a worker of it serves; when it fails, the one before it goes on as if nothing
had been. Listeners that both have are kept, so that no connection is refused in between.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable

from onegate.errors import SettingsError
from onegate.master.fork_context import ForkContext
from onegate.master.generations import Generations
from onegate.master.process_table import ProcessTable, Role
from onegate.master.upgrade import Succession
from onegate.net.bind import listen, open_listeners, update_owners
from onegate.net.listener import Listener
from onegate.process.hooks import Hooks
from onegate.process.systemd import Notifier
from onegate.validate import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings

log = logging.getLogger("onegate.error")


class Reload:
    """Puts generations on trial, and ends the trial.

    ``reread`` gives the settings as their sources say now; raises :class:`SettingsError`.
    """

    def __init__(
        self,
        processes: ProcessTable,
        generations: Generations,
        succession: Succession,
        notifier: Notifier,
        reread: Callable[[], Settings],
        activated: list[int],
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._succession = succession
        self._notifier = notifier
        self._reread = reread
        self._activated = activated

    def begin(self) -> bool:
        """Put a new generation on trial. False, and in the log why, if there cannot be one; then
        nothing has changed, and a trial that was going on still is."""
        generations = self._generations
        if self._processes.having(Role.SUCCESSOR):
            # It has what was there at its start, and would have to give up listeners with us.
            log.error("HUP: a new master is starting, and reads the configuration itself")
            return False
        self._notifier.reloading()
        try:
            settings = self._reread()
            context = ForkContext(
                settings, generations.proven.context.start, generations.proven.context
            )
            try:
                hooks, listeners, status = self._opened(settings, context)
            except BaseException:
                context.close()
                raise
        except Exception as error:  # whatever it is, what serves goes on
            known = isinstance(error, (SettingsError, OSError))
            log.error("reload failed, nothing is changed: %s", error, exc_info=not known)
            if not generations.on_trial:
                self._notifier.ready()
            return False
        log.info("reloading")
        abandoned = self._go_back() if generations.on_trial else []
        before = generations.present
        generations.put_on_trial(settings, context, hooks, listeners, status)
        generations.server.cfg = settings
        before.hooks("on_reload", generations.server)
        self._abandon(abandoned)
        return True

    def _opened(
        self, settings: Settings, context: ForkContext
    ) -> tuple[Hooks, list[Listener], Listener | None]:
        """What a generation needs beside its settings; whatever fails, nothing is left open.

        Listeners of a trial that is going on are taken over as they are: its worker, which will
        only be about to end, holds them too, so that they could not be bound again.
        """
        with context.tried():
            held = {each.given: each for each in self._generations.all_listeners() if _here(each)}
            context.tls = validate(settings)
            hooks = Hooks(settings.hooks)
            listeners = open_listeners(settings, held, self._activated)
            try:
                status = None
                if address := settings.status:
                    status = held.get(address) or listen(address, settings, "--status")
            except BaseException:
                self._abandon(listeners)
                raise
        return hooks, listeners, status

    def adopt(self) -> None:
        """The generation on trial serves: it is the present one from now on."""
        replaced = self._generations.adopt()
        present = self._generations.present
        self._abandon(replaced.all_listeners())
        update_owners(present.all_listeners(), present.settings)
        if replaced.template is not None:
            child, template = replaced.template
            child.end(present.settings.graceful_timeout)
            template.close()
        for child in self._processes.having(Role.STATUS):
            if child.generation != present.number:
                child.end(present.settings.graceful_timeout)
        self._notifier.ready()

    def fail(self) -> None:
        """The generation on trial does not serve: back to the one before."""
        self._abandon(self._go_back())
        self._notifier.ready()

    def give_up(self) -> None:
        """End a trial, if there is one."""
        if self._generations.on_trial:
            self.fail()

    def _go_back(self) -> list[Listener]:
        """The listeners of the generation that failed are left to be closed."""
        failed = self._generations.go_back()
        for child in self._processes:
            if child.generation != failed.number or child.told:
                continue
            if child.role is Role.WORKER:
                # It may serve by now without having been heard, and finishes what it has then.
                child.end(failed.settings.graceful_timeout)
            else:
                child.end_at_once()
        if failed.template is not None:
            failed.template[1].close()
        return failed.all_listeners()

    def _abandon(self, listeners: list[Listener]) -> None:
        """Close those of ``listeners`` that are not in use any more."""
        used = self._generations.all_listeners()
        for listener in listeners:
            if listener not in used:
                # What another master serves on, it goes on serving on.
                shared = self._succession.shares(listener)
                if not shared:
                    listener.refuse()  # workers that still have it answer who is in its queue
                listener.close(unlink=not shared)


def _here(listener: Listener) -> bool:
    """Whether its address still means this one, and not a path in another directory."""
    path = listener.given.removeprefix("unix:")
    if not listener.path or path == listener.given or os.path.isabs(path):
        return True
    with contextlib.suppress(OSError):
        return os.path.samefile(os.path.dirname(listener.path) or ".", os.path.dirname(path) or ".")
    return False
