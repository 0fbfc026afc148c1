"""HUP: the configuration is read anew, and a new generation put on trial.

It is adopted when a worker of it serves; when it fails, the one before it goes on as if nothing
had been. Listeners that both have are kept, so that no connection is refused in between.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from onegate.binding import listen, open_listeners
from onegate.generation import Generations
from onegate.hooks import Hooks, Server
from onegate.listeners import Listener
from onegate.process_table import ProcessTable, Role
from onegate.settings import SettingsError
from onegate.systemd import Notifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.settings.model import Settings

log = logging.getLogger("onegate.error")


class Reload:
    """Puts generations on trial, and ends the trial.

    ``reread`` gives the settings as their sources say now; raises :class:`SettingsError`.
    """

    def __init__(
        self,
        processes: ProcessTable,
        generations: Generations,
        notifier: Notifier,
        reread: Callable[[], Settings],
        activated: list[int],
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._notifier = notifier
        self._reread = reread
        self._activated = activated

    def begin(self) -> bool:
        """Put a new generation on trial. False, and in the log why, for a bad configuration."""
        generations = self._generations
        # Listeners of a trial that is cut short are taken over as they are: its worker, which is
        # only about to end, holds them too, so that they could not be bound again.
        abandoned = self._go_back() if generations.on_trial else []
        self._notifier.reloading()
        held = {each.given: each for each in (*abandoned, *generations.all_listeners())}
        status = None
        try:
            settings = self._reread()
            hooks = Hooks(settings.hooks)
            if settings.status:
                status = held.get(settings.status) or listen(settings.status, settings)
            listeners = open_listeners(settings, held, self._activated)
        except SettingsError as error:
            self._abandon(abandoned + ([status] if status is not None else []))
            log.error("reload failed, nothing is changed: %s", error)
            self._notifier.ready()
            return False
        log.info("reloading")
        generations.present.hooks("on_reload", Server(os.getpid(), settings))
        generations.put_on_trial(settings, hooks, listeners, status)
        self._abandon(abandoned)
        return True

    def adopt(self) -> None:
        """The generation on trial serves: it is the present one from now on."""
        replaced = self._generations.adopt()
        present = self._generations.present
        self._abandon(replaced.all_listeners())
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

    def _go_back(self) -> list[Listener]:
        """The listeners of the generation that failed are left to be closed."""
        failed = self._generations.go_back()
        for child in self._processes:
            if child.generation == failed.number and not child.told:
                child.end_at_once()
        if failed.template is not None:
            failed.template[1].close()
        self._notifier.ready()
        return failed.all_listeners()

    def _abandon(self, listeners: list[Listener]) -> None:
        """Close those of ``listeners`` that are not in use any more."""
        used = self._generations.all_listeners()
        for listener in listeners:
            if listener not in used:
                listener.refuse()  # workers that still have it answer who is in its queue
                listener.close(unlink=True)
