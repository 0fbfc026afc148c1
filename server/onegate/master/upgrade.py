"""USR2: a new program takes over the listeners of a running master (execve(2)).

The new master inherits the listening sockets, so that no connection is refused in between, and
tells its predecessor so (:mod:`onegate.master.upgrade_handover`) when its first worker serves.
Only then does the old one end. While the new one does not serve, the old one may give it up, or be
gone: then the pipe has no reader any more, and the new one ends.

Until the successor serves, a process stands between the two. A service manager waits for the end of
a main process only if that is its own child (systemd: "a process which is not our child. We'll most
likely not notice when it exits"; with KillMode=mixed it kills such a service at once, in the middle
of its answers), and it looks at that when it is told MAINPID. A child of the old master becomes the
manager's when its parent ends, and the old master still has requests to answer. So the parent is a
process that does nothing else.
"""

from __future__ import annotations

import logging
import os
import select
import signal

from onegate.master.child_main import ChildSpec
from onegate.master.process_table import Child, Role
from onegate.master.reload import Reload
from onegate.master.shutdown import Shutdown
from onegate.master.state import MasterState
from onegate.master.upgrade_handover import exec_successor
from onegate.master.worker_pool import WorkerPool
from onegate.net.listeners import update_permissions
from onegate.process.status_pipe import StatusPipe
from onegate.process.subreaper import release_orphans
from onegate.settings_error import SettingsError

log = logging.getLogger("onegate.error")


class Upgrade:
    """Starts a new master, and lets the old one go: each of the two does its part here."""

    def __init__(
        self, state: MasterState, pool: WorkerPool, reload: Reload, shutdown: Shutdown
    ) -> None:
        self._state = state
        self._pool = pool
        self._reload = reload
        self._shutdown = shutdown

    # ── in the old master ────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Start a new master, unless that cannot be; the log says so then."""
        if os.getpid() == 1:
            log.error(
                "USR2 ignored: PID 1 cannot be replaced, since the container stops when it exits;"
                " use HUP"
            )
        elif self._state.processes.having(Role.SUCCESSOR):
            log.error("USR2 ignored: a new master is already starting")
        else:
            # The new one reads the configuration itself; what is on trial might be given up while
            # it serves on the same listeners.
            self._reload.give_up()
            self._pool.spawn(Role.SUCCESSOR, self._state.generations.present, successor_main)

    def successor_serves(self, child: Child) -> None:
        """The new master serves: this one stops."""
        if child.terminating:
            return  # given up in the meantime
        log.info("%s has taken over", child)
        self._state.handover.complete()
        self._state.processes.remove(child)
        # End the process in between; the successor is a child of the service manager then.
        release_orphans()
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        self._state.notifier.set_main_pid(child.main_pid)
        self._shutdown.stop_gracefully()

    # ── in the new one ───────────────────────────────────────────────────────────────────────

    def take_over(self) -> None:
        """This master serves: let the one before it go, if there is one."""
        handover = self._state.handover
        if not handover.pending:
            return
        if not handover.awaited():
            self.abandoned()
            return
        try:
            self._state.pidfile.write()
        except SettingsError as error:
            log.error("%s", error)
        present = self._state.generations.present
        update_permissions(
            present.all_listeners(),
            present.settings,
            handover.permissions,
            present.context.umask,
        )
        try:
            handover.tell_ready()
        except BrokenPipeError:
            self.abandoned()
            return
        handover.close_unused(self._state.generations.all_listeners())

    def abandoned(self) -> None:
        """The master before this one is gone, or does not wait for this one any more: end, before
        two of them serve."""
        if not self._state.handover.abandoned:
            log.error("the previous master has exited or cancelled the upgrade; exiting")
            self._state.handover.abandon()
            self._shutdown.fail()


# ── between them ──────────────────────────────────────────────────────────────────────────────────


def successor_main(spec: ChildSpec) -> None:
    """In the child of the old master: become the new one, with this process in between."""
    stand_between(spec.status_fd, spec.lifeline)
    exec_successor(spec.generation, spec.status_fd, spec.activated)


def stand_between(status_fd: int, lifeline: int) -> None:
    """Return in a new process, whose pid is reported on ``status_fd``; this one ends as that one
    does, and has nothing of its own to finish.

    ``lifeline``: a descriptor that is readable when the master is gone; then this one ends too.
    Raises ``OSError`` if there is no process to be had.
    """
    pid = os.fork()
    if not pid:
        return
    StatusPipe(status_fd).has_pid(pid)
    os.close(status_fd)
    either = select.poll()
    either.register(lifeline, select.POLLIN)
    patience = os.WNOHANG
    try:
        either.register(os.pidfd_open(pid), select.POLLIN)
        either.poll()
    except OSError:  # before Linux 5.3
        patience = 0
    ended, status = os.waitpid(pid, patience)
    if ended and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if ended else 0)
