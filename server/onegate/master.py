"""The master: binds, forks, watches, reaps. It never reads a request.

Signal handlers do nothing but write the signal's number into a pipe; the loop acts on it. One
SIGCHLD may stand for many dead children, so they are reaped in a loop until there is none left;
as process 1 the master inherits orphans too, which are reaped and otherwise ignored.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import sys
import time
import traceback

from onegate import __version__
from onegate.listeners import Listener, listen
from onegate.loader import LoadError, load
from onegate.settings import Settings
from onegate.threads import ThreadedWorker
from onegate.worker import Worker

log = logging.getLogger("onegate.error")

BOOT_FAILED = 3
"""Exit status of a worker whose application cannot be loaded."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD)
_MAX_BACKOFF = 30.0


class Master:
    """Owns listeners and workers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listeners: list[Listener] = []
        self._workers: dict[int, _Child] = {}
        self._stopping = False
        self._status = 0
        self._failures = 0
        self._spawn_at = 0.0
        self._booted_once = False
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Held open by the master alone: workers see end of file when it is gone.
        self._lifeline, self._lifeline_write = os.pipe2(os.O_CLOEXEC)

    def run(self) -> int:
        """Serve until told to stop. Returns the exit status.

        Raises :class:`onegate.settings.SettingsError` if an address cannot be bound.
        """
        try:
            for address in self._settings.bind:
                self._listeners.append(listen(address, self._settings.backlog))
            names = ", ".join(listener.name for listener in self._listeners)
            log.info("onegate %s listens on %s", __version__, names)
            self._signals()
            self._loop()
        finally:
            for listener in self._listeners:
                listener.sock.close()
                listener.unlink()
        return self._status

    def _signals(self) -> None:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)

    def _loop(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        kill_at = float("inf")
        while True:
            if not self._stopping:
                self._spawn_missing(poll)
            elif not self._workers:
                return
            now = time.monotonic()
            if now >= kill_at:
                self._kill(signal.SIGKILL)
            missing = not self._stopping and len(self._workers) < self._settings.workers
            until = self._spawn_at if missing else kill_at
            timeout = None if until == float("inf") else max(0.0, (until - now) * 1000) + 1
            for fd, _ in poll.poll(timeout):
                if fd != self._wake:
                    self._booted(fd, poll)
            for number in self._noted():
                if number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
                    self._stopping = True
                    self._kill(number)
                    kill_at = time.monotonic() + self._settings.graceful_timeout + 1
            self._reap(poll)

    def _noted(self) -> bytes:
        try:
            return os.read(self._wake, 256)
        except BlockingIOError:
            return b""

    # ── children ─────────────────────────────────────────────────────────────────────────────

    def _spawn_missing(self, poll: select.poll) -> None:
        while len(self._workers) < self._settings.workers and time.monotonic() >= self._spawn_at:
            if not self._fork(poll):
                return

    def _fork(self, poll: select.poll) -> bool:
        boot, boot_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal must not reach the child before it has handlers of its own.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            os.close(boot)
            os.close(boot_write)
            self._back_off(f"cannot fork: {error.strerror}")
            return False
        if not pid:
            os.close(boot)
            self._child(boot_write, held)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        os.close(boot_write)
        poll.register(boot, select.POLLIN)
        self._workers[pid] = _Child(boot)
        return True

    def _child(self, boot: int, held: set[signal.Signals | int]) -> None:
        """In the worker, until its end."""
        status = BOOT_FAILED
        try:
            signal.set_wakeup_fd(-1)
            os.close(self._lifeline_write)
            os.close(self._wake)
            os.close(self._wake_write)
            worker = self._boot()
            if worker is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, held)
                os.write(boot, b"+")
                worker.run()
                status = 0
        except BaseException:
            traceback.print_exc()
            status = 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _boot(self) -> Worker | None:
        try:
            app = load(self._settings.app)
        except LoadError as error:
            log.error("%s", error)
            return None
        except BaseException:
            log.exception("the application %s cannot be loaded", self._settings.app)
            return None
        kind = ThreadedWorker if self._settings.threads > 1 else Worker
        return kind(self._settings, self._listeners, app, self._lifeline)

    def _booted(self, fd: int, poll: select.poll) -> None:
        """A worker says that it serves, or its end of the pipe is gone."""
        for child in self._workers.values():
            if child.boot == fd:
                child.serves = os.read(fd, 1) == b"+"
                poll.unregister(fd)
                os.close(fd)
                child.boot = -1
                if child.serves:
                    self._failures = 0
                    self._booted_once = True
                return

    def _reap(self, poll: select.poll) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            child = self._workers.get(pid)
            if child is None:
                continue  # an orphan that process 1 has inherited
            if child.boot >= 0:
                self._booted(child.boot, poll)
            del self._workers[pid]
            if not self._stopping:
                self._died(pid, os.waitstatus_to_exitcode(status), child)

    def _died(self, pid: int, code: int, child: _Child) -> None:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        if child.serves:
            log.warning("worker %d %s; it is replaced", pid, how)
            return
        if not self._booted_once:
            # The application cannot be loaded at all: say so by ending.
            self._stopping = True
            self._status = 1
            self._kill(signal.SIGTERM)
            return
        self._back_off(f"worker {pid} {how} before it served")

    def _back_off(self, reason: str) -> None:
        self._failures += 1
        wait = min(_MAX_BACKOFF, 0.1 * 2**self._failures)
        self._spawn_at = time.monotonic() + wait
        log.error("%s; next try in %.1f s", reason, wait)

    def _kill(self, number: int) -> None:
        for pid in self._workers:
            try:
                os.kill(pid, number)
            except OSError as error:
                if error.errno != errno.ESRCH:
                    raise


class _Child:
    __slots__ = ("boot", "serves")

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self.serves = False
