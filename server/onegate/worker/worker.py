"""A worker: one process, one event loop, its connections and its timers."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from os import read
from select import epoll
from threading import Lock

from onegate.http1 import HeadParser, MessageLimits
from onegate.http1.response_writer import set_server_field
from onegate.logs import error_log, log_files
from onegate.logs.refusal_log import Refusals
from onegate.net.forwarded import Forwarded
from onegate.net.listeners import Listener
from onegate.process.resource_limits import budget
from onegate.process.scoreboard import Field, Slot
from onegate.process.spool import spool_directory
from onegate.worker.acceptor import Acceptor, Endpoint
from onegate.worker.call_dispatcher import Dispatcher, InlineDispatcher
from onegate.worker.connection_state import CALL
from onegate.worker.recycling import Recycling
from onegate.wsgi import EnvironFactory, field_key
from onegate.wsgi.handler import refused_heads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Any

    from onegate.config.settings import Settings
    from onegate.logs.access_log import AccessLog
    from onegate.net.tls import Transport
    from onegate.process.status_pipe import Status
    from onegate.worker.connection import Connection
    from onegate.worker.response_counts import ResponseCounts

_READ = select.EPOLLIN
_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_TICK = 1.0
_SHORT_TICK = 0.05
"""While descriptors are short, and while stopping."""
_MAX_EVENTS = 256
_QUEUE_SECONDS = 0.05
"""How long a stopping worker still accepts clients that are in the kernel's queue already."""
_PAGE = resource.getpagesize()
_BEAT = Field.BEAT
# What applications replace (monkey patches of gevent, eventlet) is bound before they are loaded:
# here, and by the imports from select, threading, os and socket in whatever a worker runs.
_handle = signal.signal
_monotonic = time.monotonic


class Worker:
    """Serves until it is stopped. See :class:`onegate.worker.connection.Service`.

    ``lifeline``: read end of a pipe that reports end of file when the master ends. ``context``:
    with it TLS is spoken. ``handles_signals``: false in a process that has other things to do; then
    the end of the lifeline is the end. ``on_interrupt``: called when INT or QUIT comes.
    """

    def __init__(
        self,
        settings: Settings,
        listeners: list[Listener],
        app: Callable[..., Any],
        lifeline: int,
        slot: Slot,
        status: Status,
        context: SSLContext | None = None,
        *,
        handles_signals: bool = True,
        on_interrupt: Callable[[], object] = lambda: None,
    ) -> None:
        self.settings = settings
        self.dispatcher = _dispatcher(settings, app, slot)
        self.limits = MessageLimits(
            request_line=settings.limit_request_line,
            field_size=settings.limit_request_field_size,
            fields=settings.limit_request_fields,
            head=settings.limit_request_head,
            body=settings.limit_request_body,
        )
        self.spool = spool_directory(settings.spool)
        if self.spool is None and settings.spool not in ("auto", "none"):
            error_log.log.error("--spool %s is no longer usable", settings.spool)
        self.forwarded = Forwarded(settings.forwarded_allow_ips, settings.forwarded_headers)
        self.access = _response_log(_access_log(settings), settings, slot)
        self.refusals = Refusals()
        set_server_field(settings.server_header)
        self.now = time.monotonic()
        self.stopping = False
        self.paused = True
        self._secure = None if context is None else _tls(context)
        self._lifeline = lifeline
        self._slot = slot
        self._numbers = slot.numbers
        self._status = status
        self._recycling = Recycling(settings, status, self.now)
        self._epoll = epoll()
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._acceptor = Acceptor(self, self._epoll, [self._endpoint(each) for each in listeners])
        self.closed = (
            self._acceptor.closed
        )  # not a method, which would be a call for each connection
        self._stop_by = float("inf")
        self._listen_until = float("inf")
        self._last = False
        """Whether no other worker will serve the clients in the kernel's queue."""
        self._next_tick = self.now + _TICK
        self._looks = 0
        """Times that it was looked for what has come, since a tick was found to be late."""
        self._events: Iterator[tuple[int, int]] = iter(())
        self.lock = Lock()
        self._handles_signals = handles_signals
        self._on_interrupt = on_interrupt

    def _endpoint(self, listener: Listener) -> Endpoint:
        environs = EnvironFactory(
            server_name=listener.server_name,
            server_port=listener.server_port,
            scheme="https" if self._secure else "http",
            script_name=self.settings.root_path,
            unix=listener.family == socket.AF_UNIX,
            extra=self.settings.environ,
            multithread=self.settings.threads > 1,
            multiprocess=self.settings.workers > 1,
        )
        return listener, environs, HeadParser(self.limits, field_key, environs.new)

    # ── loop ─────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Serve until stopped, then finish what is in flight."""
        self._prepare()
        self._status.serves()
        self.dispatcher.run(self._loop)
        self._write_totals()

    def _prepare(self) -> None:
        limit = budget(_open_descriptors(), self.settings.worker_connections)
        self._slot[Field.BUDGET], self._slot[Field.NOFILE] = limit.connections, limit.nofile
        if self._handles_signals:
            self._install_signal_handlers()
        self._epoll.register(self._wake, _READ)
        self._epoll.register(self._lifeline, _READ)
        self.dispatcher.prepare(self._epoll)
        self._acceptor.listen(limit.connections)
        self._numbers[_BEAT] = self.now = time.monotonic()
        self._slot[Field.SERVES] = 1.0

    def _install_signal_handlers(self) -> None:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
            _handle(number, lambda *_: None)  # noted through the wake-up descriptor
        log_files.renew()  # USR1 may have come before it was noted, or been for a zygote

    def release(self) -> None:
        """Close what the end of the process would have closed. Listeners are not its own."""
        if not self.dispatcher.release():
            return
        self._epoll.close()
        os.close(self._wake)
        os.close(self._wake_write)
        self._acceptor.release()

    def _loop(self, term: int) -> bool:
        """Handle events until all is over (True) or another thread leads (False).

        A leader may lose its term within any call below; it then returns without touching
        anything more. What it had not yet handled of the last events is in ``_events``.
        """
        acceptor, dispatcher = self._acceptor, self.dispatcher
        connections, endpoints = acceptor.connections, acceptor.endpoints
        poll, numbers, most = self._epoll.poll, self._numbers, self._recycling.after
        now = self.now
        while not self.stopping or connections or acceptor.listening:
            for fd, mask in self._events:
                connection = connections.get(fd)
                if connection is not None:
                    connection.ready(mask)
                elif fd in endpoints:
                    acceptor.accept(fd)
                else:
                    dispatcher.run_deferred()
                    self._control_event(fd)
                if dispatcher.term != term:
                    return False
            if dispatcher.deferred:
                dispatcher.run_deferred()
            if now >= self._next_tick and not self._is_catching_up():
                self._tick()
                if self.stopping and not connections and not acceptor.listening:
                    break
            timeout = self._next_tick - now
            # What came behind another request in the same read is deferred, but has no event.
            if dispatcher.deferred or timeout < 0.0:
                timeout = 0.0
            busy = _monotonic() - now
            self._events = iter(poll(timeout, _MAX_EVENTS))
            numbers[_BEAT] = self.now = now = _monotonic()
            dispatcher.next_round(busy, now)
            if dispatcher.requests >= most:
                self._recycling.request("it has reached --max-requests")
        return True

    def _control_event(self, fd: int) -> None:
        """A descriptor that is neither a connection nor a listener."""
        if fd == self._wake:
            for number in read(self._wake, 64):
                if number == signal.SIGTERM:
                    self._stop(self.settings.graceful_timeout)
                elif number in (signal.SIGINT, signal.SIGQUIT):
                    self._on_interrupt()
                    self._stop(0.0)
                elif number == signal.SIGUSR1:
                    log_files.renew()
        elif fd == self._lifeline:
            self._epoll.unregister(fd)
            self._stop(self.settings.graceful_timeout)
        else:
            self.dispatcher.ready(fd)

    # ── timers ───────────────────────────────────────────────────────────────────────────────

    def _is_catching_up(self) -> bool:
        """Whether what came while this worker did not look is still to be read.

        It was suspended, or in a call, or got no processor time: then silence is not the clients',
        and no client is judged by it before all that has come has been read.
        """
        if not self._looks and self.now - self._next_tick <= _SHORT_TICK:
            return False
        self._looks += 1
        if self._looks <= 1 + len(self._acceptor.connections) // _MAX_EVENTS:
            return True
        self._looks = 0
        return False

    def _tick(self) -> None:
        """Close what has waited too long."""
        acceptor = self._acceptor
        if self.now >= self._stop_by:
            acceptor.stop()
            for connection in list(acceptor.connections.values()):
                if connection.state is CALL:
                    connection.abandon()
                else:
                    connection.close()
            return
        if self.now >= self._listen_until and not (self._last and acceptor.has_queued_clients()):
            acceptor.stop()
        oldest_call = 0.0
        for connection in list(acceptor.connections.values()):
            if connection.state is CALL:
                started = connection.call_started
                oldest_call = min(oldest_call or started, started)
            elif connection.deadline < self.now:
                connection.expire()
        if self.paused and not self.stopping:
            acceptor.look_for_victims()
        self.refusals.look(self.now)
        self._report(oldest_call)
        self.dispatcher.tick(self.now)
        short = self.stopping or self.paused
        self._next_tick = self.now + (_SHORT_TICK if short else _TICK)
        if self.stopping and acceptor.listening and self._listen_until > self.now:
            self._next_tick = min(self._next_tick, self._listen_until)

    def tick_soon(self) -> None:
        """Have the timers looked at soon."""
        self._next_tick = min(self._next_tick, self.now + _SHORT_TICK)

    def _report(self, oldest_call: float) -> None:
        """Write this worker's numbers; request its replacement when its time has come."""
        slot = self._slot
        slot[Field.CALL_SINCE] = oldest_call
        self._write_totals()
        slot[Field.CONNECTIONS] = len(self._acceptor.connections)
        slot[Field.IDLE] = self._acceptor.idle()
        resident = 0
        with contextlib.suppress(OSError):  # the application may hold every descriptor
            slot[Field.DESCRIPTORS] = _open_descriptors()
            with open("/proc/self/statm") as statm:
                resident = int(statm.read().split()[1]) * _PAGE
            slot[Field.RESIDENT] = resident
        self._recycling.check(self.now, resident, self.dispatcher.requests)

    def _write_totals(self) -> None:
        """Write the numbers that only grow."""
        slot = self._slot
        slot[Field.REQUESTS] = slot[Field.BEFORE] + self.dispatcher.requests
        slot[Field.REFUSED] += self.refusals.take()
        slot[Field.HEADS_REFUSED] += refused_heads.take()

    def _stop(self, timeout: float) -> None:
        """End within ``timeout`` seconds, as soon as all requests have their responses."""
        self._stop_by = min(self._stop_by, self.now + timeout)
        self._next_tick = self.now
        if self.stopping:
            return
        self.stopping = True
        # The master says so beforehand if not this worker alone is to stop.
        self._last = bool(self._slot[Field.STOPPING])
        self._slot[Field.STOPPING] = 1.0
        self._listen_until = self.now + _QUEUE_SECONDS
        for connection in self._acceptor.connections.values():
            connection.limit_idle()

    # ── what connections need ────────────────────────────────────────────────────────────────

    def beat(self) -> float:
        """A call goes on and is not stuck; the monotonic seconds of now."""
        self._numbers[_BEAT] = now = time.monotonic()
        return now

    def secure(self, sock: socket.SocketType) -> Transport:
        """Put TLS on an accepted socket, where it is spoken here."""
        return sock if self._secure is None else self._secure(sock)

    def watch(self, connection: Connection) -> None:
        """Report events of this connection from now on."""
        self._epoll.register(connection.fd, _EVENTS)

    def watch_again(self, connection: Connection) -> None:
        """Report once more what this connection is ready for: an edge was not used up."""
        self._epoll.modify(connection.fd, _EVENTS)

    def idle(self) -> None:
        """A connection may be closed now if descriptors are short."""
        self._acceptor.resume()

    def accepting(self) -> None:
        """The acceptor takes connections."""
        self.paused = False

    def not_accepting(self) -> None:
        """The acceptor takes no clients, until there is room or at all."""
        self.paused = True


def _dispatcher(settings: Settings, app: Callable[..., Any], slot: Slot) -> Dispatcher:
    """What makes the calls of a worker."""
    if settings.threads == 1:
        return InlineDispatcher(app, slot)
    from onegate.worker.leader_followers import LeaderFollowers  # noqa: PLC0415 - only where there are some

    return LeaderFollowers(app, slot, settings.threads)


def _access_log(settings: Settings) -> AccessLog | None:
    """The access log of these ``settings``; None if it is off."""
    if settings.access_log == "off":
        return None
    from onegate.logs.access_log import AccessLog  # noqa: PLC0415 - only if it is on

    file = log_files.present().access
    assert file is not None
    return AccessLog(settings.access_log, file)


def _response_log(
    access: AccessLog | None, settings: Settings, slot: Slot
) -> AccessLog | ResponseCounts | None:
    """What records each response: the access log, and the numbers that ``--status`` shows."""
    if not settings.status:
        return access
    from onegate.worker.response_counts import ResponseCounts  # noqa: PLC0415 - only with --status

    return ResponseCounts(slot, access)


def _tls(context: SSLContext) -> Callable[[socket.SocketType], Transport]:
    """What puts TLS on a socket."""
    from onegate.net import tls  # noqa: PLC0415 - OpenSSL costs megabytes that only TLS is worth

    return lambda sock: tls.TLSSocket(sock, context)


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) - 1  # but for the one of listdir()
