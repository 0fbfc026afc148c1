"""The master: binds, forks, watches, reaps. It never reads a request.

Signal handlers do nothing: Python writes the signal's number into a pipe, and the loop acts on it.
One SIGCHLD may stand for many dead children, so they are reaped in a loop until there is none
left; as process 1 the master inherits orphans too, which are reaped and otherwise ignored.

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

import contextlib
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable

from onegate import __version__
from onegate import log as logs
from onegate.children import SIGNALS, be, leave
from onegate.generation import Before, Child, Nest, Role, now
from onegate.hooks import Hooks, Server
from onegate.hooks import Worker as HookWorker
from onegate.limits import describe, oom_kills, raise_nofile
from onegate.listeners import Listener, listen, open_listeners
from onegate.pidfile import PidFile
from onegate.scoreboard import Field, Scoreboard, Slot
from onegate.settings import SettingsError
from onegate.systemd import Notifier, inherited
from onegate.upgrade import Succession

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.settings.model import Settings
    from onegate.template import Template

log = logging.getLogger("onegate.error")

_MAX_BACKOFF = 30.0
_ABORT_SECONDS = 1.0
"""Between the signal that shows where a stuck worker is and the one that ends it."""
_AWAY = 2.0
"""Seconds in which the master itself did not run (suspended, paused). What workers did meanwhile
is not held against them. The loop turns once a second."""


class Master:
    """Owns listeners and children.

    ``reread`` gives the settings as their sources say now; raises :class:`SettingsError`.
    """

    def __init__(self, settings: Settings, reread: Callable[[], Settings]) -> None:
        self._settings = settings
        self._reread = reread
        self._target = settings.workers
        self._children: dict[int, Child] = {}
        self._listeners: list[Listener] = []
        self._status_listener: Listener | None = None
        self._template: tuple[int, Template] | None = None
        self._generation = self._newest = 1
        self._before = Before(generation=0, listeners=[], status=None, template=None, hooks=Hooks())
        self._trial: Settings | None = None
        """Settings of the generation that has yet to show that it serves."""
        self._served = False
        self._ready = False
        self._stopping = False
        self._status = 0
        self._stop_at = float("inf")
        self._quick = False
        self._failures = 0
        self._complaint = ""
        self._spawn_at = 0.0
        self._hooks = Hooks(settings.hooks)
        self._scoreboard = Scoreboard(4 * settings.workers + 32)
        self._notifier = Notifier()
        self._pidfile = PidFile(settings.pidfile)
        self._succession = Succession()
        self._activated = inherited() or self._succession.activated
        self._awake_since = self._alive_at = now()
        self._poll = select.poll()
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Held open by the master alone: children see end of file when it is gone.
        self._lifeline, self._lifeline_write = os.pipe2(os.O_CLOEXEC)
        self._oom_kills = oom_kills()

    def run(self) -> int:
        """Serve until told to stop. Returns the exit status, in the master and in its children.

        Raises :class:`SettingsError` if an address cannot be bound or a file not be written.
        """
        pid = os.getpid()
        server = Server(pid, self._settings)
        if self._settings.raise_nofile:
            raise_nofile()
        self._hooks("on_starting", server)
        try:
            held = self._succession.listeners
            self._listeners = open_listeners(self._settings, held, self._activated)
            if address := self._settings.status:
                self._status_listener = held.get(address) or listen(address, self._settings)
            if not self._succession.pending:
                self._pidfile.write()
            signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
            for number in SIGNALS:
                signal.signal(number, lambda *_: None)
            names = ", ".join(listener.url(self._settings) for listener in self._listeners)
            log.info("onegate %s listens on %s", __version__, names)
            log.info("%s", describe(self._settings))
            if self._settings.preload:
                from onegate.template import adopt_orphans  # noqa: PLC0415 - see below

                adopt_orphans()
            self._poll.register(self._wake, select.POLLIN)
            self._hooks("when_ready", server)
            self._loop()
        finally:
            if os.getpid() == pid:
                self._hooks("on_exit", server)
                self._pidfile.remove()
                for listener in self._all_listeners():
                    listener.close(unlink=not self._shared())
        return self._status

    # ── loop ─────────────────────────────────────────────────────────────────────────────────

    def _loop(self) -> None:
        last = now()
        while not (self._stopping and not self._children):
            if not self._stopping:
                self._spawn_missing()
            for fd, _ in self._poll.poll(self._timeout()):
                if fd != self._wake:
                    self._heard(fd)
            for number in self._noted():
                self._act(signal.Signals(number))
            self._reap()
            if now() - last > _AWAY:
                self._awake_since = now()
            last = now()
            self._judge()
            self._end_overdue()
            self._tell_watchdog()

    def _timeout(self) -> float:
        """Milliseconds until something has to be done without being told."""
        due = [self._stop_at, *(child.kill_at for child in self._children.values())]
        if not self._stopping and self._spawn_at > now():
            due.append(self._spawn_at)
        if self._notifier.watchdog:
            due.append(self._alive_at)
        wait = min(1.0, max(0.0, min(due) - now()))
        return wait * 1000 + 1

    def _noted(self) -> bytes:
        try:
            return os.read(self._wake, 256)
        except BlockingIOError:
            return b""

    def _act(self, number: signal.Signals) -> None:
        if number is signal.SIGTERM:
            self._stop(quick=False)
        elif number in (signal.SIGINT, signal.SIGQUIT):
            self._stop(quick=True)
        elif self._stopping:
            return
        elif number is signal.SIGHUP:
            self._reload()
        elif number is signal.SIGUSR1:
            logs.reopen()
            self._tell(signal.SIGUSR1)
        elif number is signal.SIGUSR2:
            self._replace_master()
        elif number is signal.SIGTTIN:
            self._aim_at(self._target + 1)
        elif number is signal.SIGTTOU:
            self._aim_at(max(1, self._target - 1))
        elif number is signal.SIGWINCH and not os.isatty(0):
            self._aim_at(0)

    def _aim_at(self, workers: int) -> None:
        """Have so many workers from now on."""
        server = Server(os.getpid(), self._settings)
        self._hooks("nworkers_changed", server, workers, self._target)
        self._target = workers
        for pid, child in self._workers(self._generation)[workers:]:
            self._end(pid, child)

    # ── stopping ─────────────────────────────────────────────────────────────────────────────

    def _stop(self, *, quick: bool) -> None:
        if self._stopping and (self._quick or not quick):
            return
        log.info("stopping %s", "at once" if quick else "gracefully")
        self._notifier.stopping()
        self._quick = quick
        first = not self._stopping
        self._stopping = True
        if not self._shared():
            for slot in self._scoreboard.used():
                slot[Field.STOPPING] = 1.0
        if first and not quick and self._settings.drain_delay:
            self._stop_at = now() + self._settings.drain_delay
            return
        self._stop_children()

    def _stop_children(self) -> None:
        self._stop_at = float("inf")
        if not self._quick and not self._shared():
            for listener in self._listeners:
                listener.refuse()
        workers = any(child.role is Role.WORKER for child in self._children.values())
        for pid, child in self._children.items():
            # As long as a worker answers, it can be asked how far that is.
            last = child.role is Role.STATUS and workers and not self._quick
            if child.role is not Role.SUCCESSOR and not last:
                self._end(pid, child, quick=self._quick)

    def _end_status(self) -> None:
        """After the last worker, the process that told of them."""
        if not any(child.role is Role.WORKER for child in self._children.values()):
            for pid, child in self._children.items():
                if child.role is Role.STATUS and not child.told:
                    self._end(pid, child, quick=True)

    def _shared(self) -> bool:
        """Whether another master serves, or may yet serve, on the same listeners."""
        return self._succession.done or self._succession.pending

    def _end(self, pid: int, child: Child, *, quick: bool = False) -> None:
        """Ask a child to end, and note when patience does."""
        child.told = True
        patience = 1.0 if quick else self._settings.graceful_timeout + 1.0
        child.kill_at = min(child.kill_at, now() + patience)
        _kill(pid, signal.SIGQUIT if quick else signal.SIGTERM)

    def _end_overdue(self) -> None:
        if now() >= self._stop_at:
            self._stop_children()
        for pid, child in self._children.items():
            if now() >= child.kill_at:
                child.kill_at = float("inf")
                child.reason = child.reason or "did not end in time"
                _kill(pid, signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        for pid, child in self._children.items():
            if child.role in (Role.WORKER, Role.STATUS):
                _kill(pid, number)

    # ── workers ──────────────────────────────────────────────────────────────────────────────

    def _workers(self, generation: int | None = None) -> list[tuple[int, Child]]:
        """Workers that are meant to stay, of one generation or of all."""
        return [
            (pid, child)
            for pid, child in self._children.items()
            if child.role is Role.WORKER
            and not child.told
            and generation in (None, child.generation)
        ]

    def _missing(self) -> int:
        # A generation on trial has one worker until that one serves.
        wanted = 1 if self._trial is not None else self._target
        staying = [child for _, child in self._workers(self._generation) if not child.retiring]
        return wanted - len(staying)

    def _booting(self) -> bool:
        """Whether a worker that is wanted has yet to serve."""
        workers = self._workers(self._generation)
        return self._missing() > 0 or any(not child.serves for _, child in workers)

    def _spawn_missing(self) -> None:
        if now() < self._spawn_at:
            return
        settings = self._trial or self._settings
        roles = {child.role for child in self._children.values() if not child.told}
        if settings.status and Role.STATUS not in roles:
            self._fork(Role.STATUS, settings)
        if settings.preload and self._template is None:
            self._fork(Role.TEMPLATE, settings)
        if settings.preload and not self._template_serves():
            return
        while self._missing() > 0:
            if not self._fork(Role.WORKER, settings):
                return

    def _template_serves(self) -> bool:
        return self._template is not None and self._children[self._template[0]].serves

    def _fork(self, role: Role, settings: Settings) -> bool:
        """Make a child. False, and a later try, if the system gives no process."""
        slot = self._scoreboard.take() if role is Role.WORKER else None
        if role is Role.WORKER and slot is None:
            return False
        nest = Nest(
            settings=settings,
            hooks=self._hooks,
            listeners=self._listeners,
            status=self._status_listener,
            lifeline=self._lifeline,
            activated=self._activated,
            began=time.time(),
        )
        template: Template | None = None
        own: list[int] = []
        if role is Role.WORKER:
            self._hooks("pre_fork", Server(os.getpid(), settings), HookWorker(0, settings))
        elif role is Role.SUCCESSOR:
            self._hooks("pre_exec", Server(os.getpid(), settings))
        sys.stdout.flush()
        sys.stderr.flush()
        if slot is not None:
            slot.clear()
        # A signal must not reach the child before it has handlers of its own.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            own += os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            line, line_write = own
            template = _new_template() if role is Role.TEMPLATE else None
            pid = self._new_process(role, slot, line_write)
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            for descriptor in own:
                os.close(descriptor)
            if template is not None:
                template.give_up()
            self._back_off(f"cannot fork a {role.value}: {error.strerror or error}")
            self._end_old(one=True)  # which gives a process back
            return False
        if not pid:
            leave([line, *self._own_descriptors()], held)
            self._close_unused(nest, role)
            be(role, nest, slot, line_write, template, self._scoreboard)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        os.close(line_write)
        if slot is not None:
            slot[Field.PID], slot[Field.BEAT] = pid, now()
            slot[Field.GENERATION] = self._generation
        if role is Role.WORKER:
            self._complaint = ""
        if template is not None:
            template.in_master()
            self._template = (pid, template)
        self._children[pid] = Child(role, self._generation, line, slot)
        self._poll.register(line, select.POLLIN)
        return True

    def _new_process(self, role: Role, slot: Slot | None, line: int) -> int:
        if role is Role.WORKER and self._template is not None:
            assert slot is not None
            return self._template[1].fork(slot.index, line)
        return os.fork()

    def _own_descriptors(self) -> list[int]:
        lines = [child.line for child in self._children.values() if child.line >= 0]
        return [self._wake, self._wake_write, self._lifeline_write, *lines]

    def _close_unused(self, nest: Nest, role: Role) -> None:
        """In a child: close what belongs to others. A listener that somebody keeps open goes on
        taking connections that nobody accepts."""
        used = nest.listeners + ([nest.status] if nest.status and role is not Role.WORKER else [])
        for listener in (*self._before.all_listeners(), *self._all_listeners()):
            if listener not in used:
                listener.sock.close()
        for template in (self._template, self._before.template):
            if template is not None:
                template[1].close()
        if role is not Role.SUCCESSOR:
            self._succession.forget()

    def _heard(self, line: int) -> None:
        """A child says that it serves (+), that it wants to be replaced (-), or has hung up."""
        pid, child = next((p, c) for p, c in self._children.items() if c.line == line)
        try:
            said = os.read(line, 16)
        except BlockingIOError:
            return  # it has ended, but a process of its own still holds the pipe
        if not said:
            self._poll.unregister(line)
            os.close(line)
            child.line = -1
        if b"+" in said:
            child.serves = True
            self._serves(pid, child)
        if b"-" in said:
            child.retiring = True

    def _serves(self, pid: int, child: Child) -> None:
        if child.role is Role.SUCCESSOR:
            log.info("process %d has taken over", pid)
            self._succession.done = True
            self._forget(pid, self._children.pop(pid))
            self._stop(quick=False)
            return
        if child.role is not Role.WORKER or child.generation != self._generation:
            return
        self._failures = 0
        self._served = True
        self._adopt()
        self._end_old(one=self._booting())
        if not self._ready:
            self._ready = True
            self._notifier.ready()
            self._succeed()

    def _succeed(self) -> None:
        """Let the master before this one go, if there is one."""
        if self._succession.pending:
            try:
                self._pidfile.write()
            except SettingsError as error:
                log.error("%s", error)
            self._succession.ready()

    def _end_old(self, *, one: bool) -> None:
        """End workers that others replace: one for each that has begun to serve, at last all."""
        for pid, child in self._children.items():
            old = child.generation != self._generation or child.retiring
            if child.role is Role.WORKER and old and not child.told:
                if self._trial is not None and not child.retiring:
                    return
                self._end(pid, child)
                if one:
                    return

    # ── children that end ────────────────────────────────────────────────────────────────────

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            child = self._children.get(pid)
            if child is None:
                continue  # an orphan that process 1, or a subreaper, has inherited
            if child.line >= 0:
                self._heard(child.line)  # what it said last; it may have taken over meanwhile
            if self._children.pop(pid, None) is None:
                continue
            self._forget(pid, child)
            if child.role is Role.WORKER:
                server = Server(os.getpid(), self._settings)
                self._hooks("child_exit", server, HookWorker(pid, self._settings))
            if not self._stopping and not child.told:
                self._died(pid, os.waitstatus_to_exitcode(status), child)
            elif child.reason:
                log.warning("%s %d was killed: it %s", child.role.value, pid, child.reason)
            if self._stopping and self._stop_at == float("inf"):
                self._end_status()

    def _forget(self, pid: int, child: Child) -> None:
        if child.line >= 0:
            self._poll.unregister(child.line)
            os.close(child.line)
        if child.slot is not None:
            child.slot.clear()
        if self._template is not None and self._template[0] == pid:
            self._template[1].close()
            self._template = None
        before = self._before.template
        if before is not None and before[0] == pid:
            before[1].close()
            self._before = self._before.replace(template=None)

    def _died(self, pid: int, code: int, child: Child) -> None:
        """A child that nobody asked to end has ended."""
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        killed, self._oom_kills = oom_kills() > self._oom_kills, oom_kills()
        if code == -signal.SIGKILL:
            how = (
                "was killed by the kernel: out of memory"
                if killed
                else f"{how}, not by this server"
            )
        name = f"{child.role.value} {pid}"
        if child.role is Role.SUCCESSOR:
            log.error("%s %s before it served; this one goes on", name, how)
        elif child.serves and now() - child.since > 1:
            log.warning("%s %s; it is replaced", name, how)
        elif self._trial is not None and child.generation == self._generation:
            log.error("%s %s; reload failed, the old workers go on", name, how)
            self._abandon(self._drop_trial())
        elif self._served or child.role is Role.STATUS or child.serves:
            self._back_off(f"{name} {how}")
        elif not self._settings.reload:
            # The application cannot be loaded at all: say so by ending.
            self._status = 1
            self._stop(quick=True)

    def _back_off(self, reason: str) -> None:
        self._failures += 1
        wait = min(_MAX_BACKOFF, 0.1 * 2 ** min(self._failures, 16))
        self._spawn_at = now() + wait
        if reason != self._complaint:  # a shortage that lasts is told once
            log.error("%s; next try in %.1f s", reason, wait)
        self._complaint = reason

    def _judge(self) -> None:
        """Find workers that are stuck in one call."""
        timeout = self._settings.timeout
        if not timeout:
            return
        for pid, child in self._workers():
            slot = child.slot
            if slot is None or not child.serves:
                continue
            since = min(slot[Field.BEAT], slot[Field.CALL_SINCE] or slot[Field.BEAT])
            stuck = now() - max(since, self._awake_since)
            # A worker that has nothing to do beats once a second.
            if stuck > timeout + 1:
                log.error("worker %d is stuck in one call for %.0f s; it is killed", pid, stuck)
                child.told = True
                child.reason = "was stuck"
                child.kill_at = now() + _ABORT_SECONDS
                self._hooks("worker_abort", HookWorker(pid, self._settings))
                _kill(pid, signal.SIGABRT)

    def _tell_watchdog(self) -> None:
        if self._notifier.watchdog and now() >= self._alive_at:
            self._alive_at = now() + self._notifier.watchdog
            self._notifier.alive()

    # ── reloading and replacing ──────────────────────────────────────────────────────────────

    def _reload(self) -> None:
        """Put a new generation on trial."""
        # Listeners of a trial that is cut short are taken over as they are: its worker, which is
        # only about to end, holds them too, so that they could not be bound again.
        abandoned = self._drop_trial() if self._trial is not None else []
        self._notifier.reloading()
        held = {each.given: each for each in (*abandoned, *self._all_listeners())}
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
            return
        log.info("reloading")
        self._hooks("on_reload", Server(os.getpid(), settings))
        self._before = Before(
            generation=self._generation,
            listeners=self._listeners,
            status=self._status_listener,
            template=self._template,
            hooks=self._hooks,
        )
        self._hooks, self._template, self._status_listener = hooks, None, status
        self._generation = self._newest = self._newest + 1
        self._trial, self._listeners = settings, listeners
        self._abandon(abandoned)
        self._spawn_at = 0.0

    def _adopt(self) -> None:
        """The generation on trial serves: it is the present one from now on."""
        if self._trial is None:
            return
        self._settings, self._trial = self._trial, None
        self._target = self._settings.workers
        self._abandon(self._before.all_listeners())
        if template := self._before.template:
            self._end(template[0], self._children[template[0]])
            template[1].close()
        for pid, child in self._children.items():
            if child.role is Role.STATUS and child.generation != self._generation:
                self._end(pid, child)
        self._notifier.ready()

    def _drop_trial(self) -> list[Listener]:
        """The generation on trial does not serve: back to the one before. Its listeners are left to
        be closed."""
        for pid, child in self._children.items():
            if child.generation == self._generation and not child.told:
                self._end(pid, child, quick=True)
        if self._template is not None:
            self._template[1].close()
        abandoned = self._all_listeners()
        self._trial = None
        before = self._before
        self._generation, self._listeners, self._template = (
            before.generation,
            before.listeners,
            before.template,
        )
        self._status_listener, self._hooks = before.status, before.hooks
        self._notifier.ready()
        return abandoned

    def _all_listeners(self) -> list[Listener]:
        status = [self._status_listener] if self._status_listener is not None else []
        return self._listeners + status

    def _abandon(self, listeners: list[Listener]) -> None:
        """Close those of ``listeners`` that are not in use any more."""
        used = self._all_listeners()
        if self._trial is not None:
            used += self._before.all_listeners()
        for listener in listeners:
            if listener not in used:
                listener.refuse()  # workers that still have it answer who is in its queue
                listener.close(unlink=True)

    def _replace_master(self) -> None:
        if os.getpid() == 1:
            log.error("USR2: process 1 cannot be replaced, its end is the container's; use HUP")
        elif any(child.role is Role.SUCCESSOR for child in self._children.values()):
            log.error("USR2: a new master is starting already")
        else:
            self._fork(Role.SUCCESSOR, self._settings)


def _new_template() -> Template:
    from onegate.template import Template  # noqa: PLC0415 - only with --preload

    return Template()


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
