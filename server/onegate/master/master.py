"""The master: binds, forks, watches, reaps. It never reads a request.

Here its parts are put together and its loop turns; each part is a module of its own. Of signals
it is told by a pipe (:mod:`onegate.process.signals`).

    signal     what the master does
    ─────────  ────────────────────────────────────────────────────────────────────────────────
    TERM       stops gracefully: what was accepted or queued is answered first
    INT, QUIT  stops at once
    HUP        reads the configuration anew and replaces the workers, one of them on trial first
    USR1       opens the log files anew
    USR2       starts a new master on the same listeners; when that one serves, this one stops
    TTIN/TTOU  one worker more, one less
    WINCH      stops the workers gracefully and waits (not on a terminal, which sends it by itself)
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Callable

from onegate._version import __version__
from onegate.logs import log_files
from onegate.master.child_events import ChildEvents
from onegate.master.process_table import Role
from onegate.master.reload import Reload
from onegate.master.shutdown import Shutdown
from onegate.master.state import MasterState
from onegate.master.upgrade import Upgrade
from onegate.master.watchdog import Watchdog
from onegate.master.worker_pool import WorkerPool
from onegate.net.listeners import open_listeners
from onegate.process.resource_limits import describe, raise_nofile
from onegate.validate_settings import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings
    from onegate.master.execution_environment import ExecutionEnvironment

log = logging.getLogger("onegate.error")


class Master:
    """Owns listeners and children.

    ``context``: what this process runs with. ``reread`` gives the settings as their sources say
    now; raises :class:`SettingsError`.
    """

    def __init__(
        self, settings: Settings, context: ExecutionEnvironment, reread: Callable[[], Settings]
    ) -> None:
        self._settings = settings
        self._state = state = MasterState(settings, context)
        self._pool = WorkerPool(state)
        self._reload = Reload(state, self._pool, reread)
        self._shutdown = Shutdown(state)
        self._upgrade = Upgrade(state, self._pool, self._reload, self._shutdown)
        self._child_events = ChildEvents(
            state, self._pool, self._reload, self._shutdown, self._upgrade
        )
        self._watchdog = Watchdog(state)

    def run(self) -> int:
        """Serve until told to stop. Returns the exit status; in the master alone.

        Raises :class:`SettingsError` if an address cannot be bound or a file not be written.
        """
        state = self._state
        if self._settings.raise_nofile:
            raise_nofile()
        state.generations.call("on_starting")
        try:
            # After on_starting, which may make a directory that is named.
            state.generations.present.context.keep_tls(validate(self._settings))
            self._open()
            state.signals.install()
            self._announce()
            state.poll.register(state.signals.descriptor, select.POLLIN)
            state.generations.call("when_ready")
            self._loop()
        finally:
            state.generations.call("on_exit", of=state.generations.proven)
            state.pidfile.remove()
            for listener in state.generations.all_listeners():
                listener.close(unlink=not state.handover.shares(listener))
        return self._shutdown.exit_status

    def _open(self) -> None:
        """Listen, or go on with what was handed down."""
        state, settings = self._state, self._settings
        state.generations.present.listen(
            *open_listeners(settings, state.handover.listeners, state.activated)
        )
        if not state.handover.pending:
            if holder := state.pidfile.holder():
                log.warning(
                    "--pidfile %s contains %d, the pid of a running process; overwriting it",
                    settings.pidfile,
                    holder,
                )
            state.pidfile.write()

    def _announce(self) -> None:
        listeners = self._state.generations.present.listeners
        names = ", ".join(listener.url(self._settings) for listener in listeners)
        log.info("onegate %s listens on %s", __version__, names)
        log.info("%s", describe(self._settings))

    # ── loop ─────────────────────────────────────────────────────────────────────────────────

    def _loop(self) -> None:
        state = self._state
        while not self._shutdown.begun or not state.processes.empty:
            if not self._shutdown.begun:
                self._pool.fill()
            for fd, _ in state.poll.poll(self._timeout()):
                if fd == state.handover.ready_fd:
                    self._upgrade.abandoned()
                elif fd != state.signals.descriptor:
                    self._child_events.read_reports(state.processes.by_status_fd(fd))
            for number in state.signals.pending():
                self._handle(number)
            self._child_events.reap()
            self._child_events.turn()
            self._watchdog.turn()
            self._watchdog.check_workers()
            self._watchdog.check_zygotes()
            self._shutdown.turn()
            state.processes.kill_overdue()
            self._watchdog.notify()

    def _timeout(self) -> float:
        """Milliseconds until something has to be done without being told."""
        deadlines = [
            self._shutdown.next_deadline,
            self._state.processes.next_deadline,
            self._watchdog.next_deadline,
        ]
        if not self._shutdown.begun:
            deadlines.append(self._pool.next_deadline)
        wait = min(1.0, max(0.0, min(deadlines) - time.monotonic()))
        return wait * 1000 + 1

    def _handle(self, number: signal.Signals) -> None:
        if number is signal.SIGTERM:
            self._shutdown.stop_gracefully()
        elif number in (signal.SIGINT, signal.SIGQUIT):
            self._shutdown.stop_at_once()
        elif self._shutdown.begun:
            return
        elif number is signal.SIGHUP:
            self._reload.begin()
        elif number is signal.SIGUSR1:
            self._reopen_logs()
        elif number is signal.SIGUSR2:
            self._upgrade.begin()
        elif number is signal.SIGTTIN:
            self._pool.resize(self._pool.target + 1)
        elif number is signal.SIGTTOU:
            self._pool.resize(max(1, self._pool.target - 1))
        elif number is signal.SIGWINCH and not os.isatty(0):
            self._pool.resize(0)

    def _reopen_logs(self) -> None:
        log_files.reopen()
        self._state.generations.present.context.reopen_logs()
        for child in list(self._state.processes.expected):
            # One that has found the old files has reported its pid before.
            self._child_events.read_reports(child)
        for child in self._state.processes:
            if child.role in (Role.WORKER, Role.STATUS):
                child.send_signal(signal.SIGUSR1)
