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
from onegate.logs import error_log
from onegate.master.backoff import Backoff
from onegate.master.generations import Generations
from onegate.master.process_table import ProcessTable, Role
from onegate.master.reload import Reload
from onegate.master.shutdown import Shutdown
from onegate.master.spawner import Spawner
from onegate.master.supervisor import Supervisor
from onegate.master.upgrade import Succession
from onegate.master.watchdog import Liveness
from onegate.master.worker_pool import Pool
from onegate.net.bind import listen, open_listeners
from onegate.process.pidfile import PidFile
from onegate.process.rlimits import describe, raise_nofile
from onegate.process.scoreboard import Scoreboard, Total
from onegate.process.signals import SelfPipe
from onegate.process.systemd import Notifier, inherited
from onegate.validate import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings
    from onegate.master.fork_context import ForkContext

log = logging.getLogger("onegate.error")


class Master:
    """Owns listeners and children.

    ``context``: what this process runs with. ``reread`` gives the settings as their sources say
    now; raises :class:`SettingsError`.
    """

    def __init__(
        self, settings: Settings, context: ForkContext, reread: Callable[[], Settings]
    ) -> None:
        self._settings = settings
        self._generations = generations = Generations(settings, context)
        scoreboard = Scoreboard()
        self._totals = scoreboard.totals
        self._pidfile = PidFile(settings.pidfile)
        self._succession = succession = Succession()
        notifier = Notifier(silent=succession.pending)
        self._activated = inherited() or succession.activated
        self._poll = select.poll()
        self._signals = SelfPipe()
        self._processes = processes = ProcessTable(self._poll)
        self._backoff = backoff = Backoff()
        spawner = Spawner(
            processes,
            generations,
            scoreboard,
            succession,
            backoff,
            activated=self._activated,
            private=self._signals.descriptors,
        )
        self._pool = Pool(processes, generations, scoreboard, spawner, backoff)
        self._reload = Reload(processes, generations, succession, notifier, reread, self._activated)
        self._shutdown = Shutdown(processes, generations, scoreboard, succession, notifier)
        self._liveness = Liveness(notifier, scoreboard)
        self._supervisor = Supervisor(
            processes,
            generations,
            self._pool,
            backoff,
            self._reload,
            self._shutdown,
            succession,
            notifier,
            self._pidfile,
            scoreboard,
        )

    def run(self) -> int:
        """Serve until told to stop. Returns the exit status; in the master alone.

        Raises :class:`SettingsError` if an address cannot be bound or a file not be written.
        """
        if self._settings.raise_nofile:
            raise_nofile()
        self._generations.call("on_starting")
        try:
            # After on_starting, which may make a directory that is named.
            self._generations.present.context.tls = validate(self._settings)
            self._open()
            self._signals.install()
            self._announce()
            self._poll.register(self._signals.descriptor, select.POLLIN)
            self._succession.watch(self._poll)
            self._generations.call("when_ready")
            self._loop()
        finally:
            self._generations.call("on_exit", of=self._generations.proven)
            self._pidfile.remove()
            for listener in self._generations.all_listeners():
                listener.close(unlink=not self._succession.shares(listener))
        return self._supervisor.exit_status

    def _open(self) -> None:
        """Listen, or go on with what was handed down."""
        held = self._succession.listeners
        first = self._generations.present
        first.listeners = open_listeners(self._settings, held, self._activated)
        if address := self._settings.status:
            first.status = held.get(address) or listen(address, self._settings, "--status")
        if not self._succession.pending:
            if holder := self._pidfile.holder():
                log.warning(
                    "--pidfile %s names process %d, which is running; it now names this one",
                    self._settings.pidfile,
                    holder,
                )
            self._pidfile.write()

    def _announce(self) -> None:
        listeners = self._generations.present.listeners
        names = ", ".join(listener.url(self._settings) for listener in listeners)
        log.info("onegate %s listens on %s", __version__, names)
        log.info("%s", describe(self._settings))

    # ── loop ─────────────────────────────────────────────────────────────────────────────────

    def _loop(self) -> None:
        generations = self._generations
        while not self._shutdown.begun or self._processes:
            if not self._shutdown.begun:
                self._pool.fill()
            for fd, _ in self._poll.poll(self._timeout()):
                if fd == self._succession.line:
                    self._supervisor.abandoned()
                elif fd != self._signals.descriptor:
                    self._supervisor.hear(self._processes.at(fd))
            for number in self._signals.noted():
                self._act(number)
            self._supervisor.reap()
            self._supervisor.turn()
            self._liveness.turn()
            settings, hooks = generations.proven.settings, generations.present.hooks
            self._liveness.judge(self._processes.workers(), settings, hooks)
            self._shutdown.turn()
            self._processes.kill_overdue()
            self._liveness.tell_watchdog()

    def _timeout(self) -> float:
        """Milliseconds until something has to be done without being told."""
        due = [self._shutdown.due, self._processes.due, self._liveness.due]
        if not self._shutdown.begun and self._backoff.waits:
            due.append(self._backoff.until)
        wait = min(1.0, max(0.0, min(due) - time.monotonic()))
        return wait * 1000 + 1

    def _act(self, number: signal.Signals) -> None:
        if number is signal.SIGTERM:
            self._shutdown.begin(quick=False)
        elif number in (signal.SIGINT, signal.SIGQUIT):
            self._shutdown.begin(quick=True)
        elif self._shutdown.begun:
            return
        elif number is signal.SIGHUP:
            if self._reload.begin():
                self._backoff.cut_short()
            else:
                self._totals[Total.RELOAD_FAILED] += 1
        elif number is signal.SIGUSR1:
            self._reopen_logs()
        elif number is signal.SIGUSR2:
            self._replace()
        elif number is signal.SIGTTIN:
            self._pool.aim_at(self._pool.target + 1)
        elif number is signal.SIGTTOU:
            self._pool.aim_at(max(1, self._pool.target - 1))
        elif number is signal.SIGWINCH and not os.isatty(0):
            self._pool.aim_at(0)

    def _reopen_logs(self) -> None:
        error_log.reopen()
        self._generations.present.context.reopen_logs()
        for child in self._processes:
            if child.role in (Role.WORKER, Role.STATUS):
                child.send_signal(signal.SIGUSR1)

    def _replace(self) -> None:
        """Start a new master; what follows when it serves is the supervisor's."""
        if os.getpid() == 1:
            log.error("USR2: process 1 cannot be replaced, its end is the container's; use HUP")
        elif self._processes.having(Role.SUCCESSOR):
            log.error("USR2: a new master is starting already")
        else:
            # The new one reads the configuration itself; what is on trial might be given up while
            # it serves on the same listeners.
            self._reload.give_up()
            self._pool.fork(Role.SUCCESSOR, self._generations.present)
