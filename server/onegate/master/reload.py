"""HUP: the configuration is read anew, and a new generation put on trial.

It is adopted when a worker of it serves; when it fails, the one before it goes on as if nothing
had been. Listeners that both have are kept, so that no connection is refused in between.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable

from onegate.master.execution_environment import ExecutionEnvironment
from onegate.master.process_table import Role
from onegate.master.state import MasterState
from onegate.master.worker_pool import WorkerPool
from onegate.net.listeners import Listener, open_listeners, socket_permissions, update_permissions
from onegate.process.hooks import Hooks
from onegate.process.scoreboard import Total
from onegate.settings_error import SettingsError
from onegate.validate_settings import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings

log = logging.getLogger("onegate.error")


class Reload:
    """Puts generations on trial, and ends the trial.

    ``reread`` gives the settings as their sources say now; raises :class:`SettingsError`.
    """

    def __init__(
        self, state: MasterState, pool: WorkerPool, reread: Callable[[], Settings]
    ) -> None:
        self._state = state
        self._pool = pool
        self._reread = reread

    def begin(self) -> None:
        """Put a new generation on trial. If there cannot be one, the log says why, nothing has
        changed, and a trial that was going on still is."""
        if self._begin():
            self._pool.retry_now()
        else:
            self._state.count(Total.RELOAD_FAILED)

    def _begin(self) -> bool:
        generations = self._state.generations
        if self._state.processes.having(Role.SUCCESSOR):
            # It has what was there at its start, and would have to give up listeners with us.
            log.error("HUP ignored: the new master started by USR2 reads the configuration itself")
            return False
        self._state.notifier.reloading()
        try:
            settings = self._reread()
            proven = generations.proven.context
            context = ExecutionEnvironment(settings, proven.start, proven)
            try:
                hooks, listeners, status = self._open(settings, context)
            except BaseException:
                context.close()
                raise
        except Exception as error:  # whatever it is, what serves goes on
            known = isinstance(error, (SettingsError, OSError))
            log.error("reload failed, nothing has changed: %s", error, exc_info=not known)
            if not generations.on_trial:
                self._state.notifier.ready()
            return False
        log.info("reloading")
        abandoned = self._go_back() if generations.on_trial else []
        before = generations.present
        generations.put_on_trial(settings, context, hooks, listeners, status)
        generations.call("on_reload", of=before, cfg=settings)
        self._close_unused(abandoned)
        return True

    def _open(
        self, settings: Settings, context: ExecutionEnvironment
    ) -> tuple[Hooks, list[Listener], Listener | None]:
        """What a generation needs beside its settings; whatever fails, nothing is left open.

        Listeners of a trial that is going on are taken over as they are: its worker, which will
        only be about to end, holds them too, so that they could not be bound again.
        """
        with context.tried():
            every = self._state.generations.all_listeners()
            held = {each.given: each for each in every if _here(each)}
            context.keep_tls(validate(settings))
            hooks = Hooks(settings.hooks)
            listeners, status = open_listeners(settings, held, self._state.activated)
        return hooks, listeners, status

    def adopt(self) -> None:
        """The generation on trial serves: it is the present one from now on."""
        replaced = self._state.generations.adopt()
        present = self._state.generations.present
        self._close_unused(replaced.all_listeners())
        update_permissions(
            present.all_listeners(),
            present.settings,
            socket_permissions(replaced.settings),
            present.context.umask,
        )
        for child in self._state.processes:
            # Its workers end one by one, as those that replace them begin to serve.
            old = child.role is Role.STATUS and child.generation != present.number
            if old or replaced.is_zygote(child):
                child.terminate(present.settings.graceful_timeout)
        replaced.zygote_ended()
        self._pool.reset_target()
        self._state.count(Total.RELOADED)
        self._state.notifier.ready()

    def fail(self) -> None:
        """The generation on trial does not serve: back to the one before."""
        self.give_up()
        self._state.count(Total.RELOAD_FAILED)

    def give_up(self) -> None:
        """End a trial, if there is one."""
        if self._state.generations.on_trial:
            self._close_unused(self._go_back())
            self._state.notifier.ready()

    def _go_back(self) -> list[Listener]:
        """The listeners of the generation that failed are left to be closed."""
        failed = self._state.generations.go_back()
        for child in self._state.processes:
            if child.generation != failed.number or child.terminating:
                continue
            if child.role is Role.WORKER:
                # It may serve by now without having been heard, and finishes what it has then.
                child.terminate(failed.settings.graceful_timeout)
            else:
                child.quit()
        failed.zygote_ended()
        return failed.all_listeners()

    def _close_unused(self, listeners: list[Listener]) -> None:
        """Close those of ``listeners`` that are not in use any more."""
        used = self._state.generations.all_listeners()
        for listener in listeners:
            if listener not in used:
                # What another master serves on, it goes on serving on.
                shared = self._state.handover.shares(listener)
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
