"""A worker: one process, one event loop, its connections and its timers."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

from onegate import log as logs
from onegate.acceptor import Acceptor, Front
from onegate.forwarded import Forwarded
from onegate.http1 import HeadParser, MessageLimits
from onegate.limits import budget
from onegate.listeners import Listener
from onegate.scoreboard import Field, Slot
from onegate.spool import spool_folder
from onegate.state import CALL
from onegate.wsgi import Call, EnvironFactory, field_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.access import AccessLog
    from onegate.answering import Answering
    from onegate.children import Line
    from onegate.ending import Ending
    from onegate.sender import Sender
    from onegate.settings.model import Settings
    from onegate.tls import Transport

log = logging.getLogger("onegate.error")

_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_WORTHWHILE = 20e-6
"""Seconds for a request from which on it pays to gather answers: a client on this machine that
waits for more is woken for several of them, not for each. Below, the system call that lets them go
costs more."""
_GATHERING = 1e-3
"""Seconds that an answer may be gathered for."""
_SLOW = 5e-3
"""A call that took so long after an answer was gathered held that up, ..."""
_APART = 10
"""... so for so many times as long each goes by itself: answers are held up for a tenth of the
time at most."""
_TCP, _NODELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY
_TICK = 1.0
_SHORT_TICK = 0.05
"""While descriptors are short, and while stopping."""
_MAX_EVENTS = 256
QUEUE_SECONDS = 0.05
"""How long a stopping worker still takes those who are in the kernel's queue already."""
_PAGE = resource.getpagesize()
_BEAT = Field.BEAT


class Worker:
    """Serves until told to stop. See :class:`onegate.service.Service`.

    ``lifeline``: read end of a pipe that reports end of file when the master is gone.
    """

    _READ = select.EPOLLIN
    _gathers = True

    def __init__(
        self,
        settings: Settings,
        listeners: list[Listener],
        app: Callable[..., Any],
        lifeline: int,
        slot: Slot,
        line: Line,
    ) -> None:
        self.settings = settings
        self.limits = MessageLimits(
            request_line=settings.limit_request_line,
            field_size=settings.limit_request_field_size,
            fields=settings.limit_request_fields,
            head=settings.limit_request_head,
            body=settings.limit_request_body,
        )
        self.spool = spool_folder(settings.spool)
        self.forwarded = Forwarded(settings.forwarded_allow_ips, settings.forwarded_headers)
        self.access = _access_log(settings)
        self.now = time.monotonic()
        self.stopping = False
        self.quick = self.gathering = False
        self.paused = True
        self.gathered: list[Transport] = []
        """Sockets whose last octets the kernel still holds (``MSG_MORE``), for 200 ms at most."""
        self._apart_until = 0.0
        self.asked: list[Call[Answering]] = []
        self._each = 1.0
        """Seconds that a request took when some were last answered."""
        self.term = 0
        """Number of the leadership of the loop; see :mod:`onegate.threads`."""
        self._secure = _tls(settings) if settings.certfile else None
        self._app = app
        self._lifeline = lifeline
        self._slot = slot
        self._numbers = slot.numbers
        self._line = line
        self.requests = 0
        """How many were answered, or are about to be."""
        self._retired = False
        self._retire_after = self._jittered(settings.max_requests)
        self._retire_at = self.now + (settings.max_worker_lifetime or float("inf"))
        self._epoll = select.epoll()
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._acceptor = Acceptor(self, self._epoll, [self._front(each) for each in listeners])
        self._stop_by = float("inf")
        self._listen_until = float("inf")
        self._last = False
        """Whether nobody answers who is in the kernel's queue if this worker does not."""
        self._next_tick = self.now + _TICK
        self._events: Iterator[tuple[int, int]] = iter(())
        self._local = threading.local()
        self.lock = threading.Lock()
        self.interrupted: Callable[[], None] = lambda: None
        """Called when INT or QUIT comes."""

    def _jittered(self, requests: int) -> float:
        """So that workers that began together do not end together."""
        if not requests:
            return float("inf")
        jitter = self.settings.max_requests_jitter + 1
        return requests + int.from_bytes(os.urandom(4), "big") % jitter

    def _front(self, listener: Listener) -> Front:
        environs = EnvironFactory(
            server_name=listener.server_name,
            server_port=listener.server_port,
            scheme="https" if self._secure else "http",
            script_name=self.settings.root_path,
            extra=self.settings.environ,
            multithread=self.settings.threads > 1,
            multiprocess=self.settings.workers > 1,
        )
        return listener, environs, HeadParser(self.limits, field_key, environs.new)

    # ── loop ─────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Serve until stopped, then finish what is in flight."""
        self._prepare()
        self._line.serves()
        self._start()

    def _prepare(self) -> None:
        limit = budget(_open_descriptors(), self.settings.worker_connections)
        self._acceptor.budget = limit.connections
        self._slot[Field.BUDGET], self._slot[Field.NOFILE] = limit.connections, limit.nofile
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)  # noted through the wake-up descriptor
        self._epoll.register(self._wake, self._READ)
        self._epoll.register(self._lifeline, self._READ)
        self._acceptor.listen()
        self._numbers[_BEAT] = self.now = time.monotonic()
        self._slot[Field.SERVES] = 1.0

    def _start(self) -> None:
        self._loop(0)

    def _loop(self, term: int) -> bool:
        """Handle events until all is over (True) or another thread leads (False).

        A leader may lose its term within any call below; it then returns without touching
        anything more. What it had not yet handled of the last events stands in ``_events``.
        """
        acceptor = self._acceptor
        connections = acceptor.connections
        numbers = self._numbers
        requests = self.requests
        while not self.stopping or connections or acceptor.listening:
            for fd, mask in self._events:
                connection = connections.get(fd)
                if connection is not None:
                    connection.ready(mask)
                elif fd in acceptor:
                    acceptor.accept(fd)
                else:
                    self.answer()
                    self._other(fd)
                if self.term != term:
                    return False
            if self.asked:
                self.answer()
            if self.now >= self._next_tick:
                self._tick()
                if self.stopping and not connections and not acceptor.listening:
                    break
            # What came behind an answered request in the same read is asked, but of no event.
            timeout = 0.0 if self.asked else max(0.0, self._next_tick - self.now)
            ended = time.monotonic()
            self._events = iter(self._epoll.poll(timeout, _MAX_EVENTS))
            self._each = (ended - self.now) / (self.requests - requests or 1)
            requests = self.requests
            numbers[_BEAT] = self.now = time.monotonic()
            self.quick = self._each < _GATHERING and self.now > self._apart_until and self._gathers
            if requests >= self._retire_after:
                self._retire(f"it has answered {requests} requests")
        return True

    def answer(self) -> None:
        """Make the calls that were put off: when all is read that has come at the same time.

        So the code for either is in the processor's caches, which a framework's call empties. It
        is done only while calls are short. One that is not holds up those behind it as ever, but
        it does not make a worker with many calls to make look stuck.
        """
        batch, self.asked = self.asked, []
        self.requests += len(batch)
        self.gathering = self._each > _WORTHWHILE and len(batch) > 1
        app, monotonic = self._app, time.monotonic
        since = monotonic()
        for call in batch:
            call.run(app)
            connection = call.out
            connection.answered(call)
            if connection.unread:
                connection.resume()
            now = monotonic()
            if now - since > _GATHERING:
                self._push(now - since)
                self._numbers[_BEAT] = since = now
        self._push(0.0)
        self.gathering = False

    def _push(self, waited: float) -> None:
        """Let go what the kernel has gathered; ``waited``: the first of it, if that was long."""
        if waited > _SLOW:
            self._apart_until = time.monotonic() + _APART * waited
        for sock in self.gathered:
            try:  # noqa: SIM105 - suppress() costs more than the system call
                sock.setsockopt(_TCP, _NODELAY, 1)
            except OSError:
                pass  # closed meanwhile, and that lets it go too
        self.gathered.clear()

    def _other(self, fd: int) -> None:
        """A descriptor that is neither a connection nor a listener."""
        if fd == self._wake:
            for number in os.read(self._wake, 64):
                if number == signal.SIGTERM:
                    self._stop(self.settings.graceful_timeout)
                elif number in (signal.SIGINT, signal.SIGQUIT):
                    self.interrupted()
                    self._stop(0.0)
                elif number == signal.SIGUSR1:
                    logs.reopen()
        elif fd == self._lifeline:
            self._epoll.unregister(fd)
            self._stop(self.settings.graceful_timeout)

    # ── timers ───────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        """What has waited too long?"""
        acceptor = self._acceptor
        if self.now >= self._stop_by:
            acceptor.end()
            for connection in list(acceptor.connections.values()):
                connection.close()
            return
        if self.now >= self._listen_until and not (self._last and acceptor.queued()):
            acceptor.end()
        oldest_call = 0.0
        for connection in list(acceptor.connections.values()):
            if connection.state is CALL:
                oldest_call = min(oldest_call or connection.deadline, connection.deadline)
            elif connection.deadline < self.now:
                connection.expire()
        if self.paused and not self.stopping:
            acceptor.look_for_victims()
        self._report(oldest_call)
        short = self.stopping or self.paused
        self._next_tick = self.now + (_SHORT_TICK if short else _TICK)
        if self.stopping and acceptor.listening and self._listen_until > self.now:
            self._next_tick = min(self._next_tick, self._listen_until)

    def hurry(self) -> None:
        """Have the timers looked at soon."""
        self._next_tick = min(self._next_tick, self.now + _SHORT_TICK)

    def _report(self, oldest_call: float) -> None:
        """Write this worker's numbers; ask to be replaced when its time has come."""
        slot = self._slot
        slot[Field.CALL_SINCE] = oldest_call
        slot[Field.REQUESTS] = self.requests
        slot[Field.CONNECTIONS] = len(self._acceptor.connections)
        slot[Field.IDLE] = self._acceptor.idle()
        resident = 0
        with contextlib.suppress(OSError):  # the application may hold every descriptor
            slot[Field.DESCRIPTORS] = _open_descriptors()
            with open("/proc/self/statm") as statm:
                resident = int(statm.read().split()[1]) * _PAGE
            slot[Field.RESIDENT] = resident
        most = self.settings.max_worker_memory
        if self.now >= self._retire_at:
            self._retire("it has served for its lifetime")
        elif most and resident > most:
            self._retire(f"it uses {resident >> 20} MiB of memory")

    def _retire(self, reason: str) -> None:
        """Ask for a successor. Until it serves, this worker goes on."""
        if not self._retired:
            self._retired = True
            log.info("worker is to be replaced: %s", reason)
            self._line.retires()

    def _stop(self, patience: float) -> None:
        """End within ``patience`` seconds, when all is answered that was asked."""
        self._stop_by = min(self._stop_by, self.now + patience)
        self._next_tick = self.now
        if self.stopping:
            return
        self.stopping = True
        # The master says so beforehand if not this worker alone is to stop.
        self._last = bool(self._slot[Field.STOPPING])
        self._slot[Field.STOPPING] = 1.0
        self._listen_until = self.now + QUEUE_SECONDS
        for connection in self._acceptor.connections.values():
            connection.hurry()

    # ── what connections ask for ─────────────────────────────────────────────────────────────

    def call(self, call: Call[Answering]) -> bool:
        """Call the application here and now."""
        self.requests += 1
        call.run(self._app)
        self._numbers[_BEAT] = time.monotonic()
        return True

    def alive(self, connection: Sender) -> None:
        """The application has produced something more: it is not stuck."""
        self._numbers[_BEAT] = connection.deadline = time.monotonic()

    def secure(self, sock: socket.SocketType) -> Transport:
        """Put TLS on an accepted socket, where it is spoken here."""
        return sock if self._secure is None else self._secure(sock)

    def watch(self, connection: Ending) -> None:
        """Report events of this connection from now on."""
        connection.watched = True
        self._epoll.register(connection.fd, _EVENTS)

    def idle(self) -> None:
        """A connection may be closed now if descriptors are short."""
        self._acceptor.resume()

    def closed(self, connection: Ending) -> None:
        """Forget it; its descriptor may be used for the next one."""
        self._acceptor.closed(connection)


def _access_log(settings: Settings) -> AccessLog | None:
    """The access log that ``settings`` ask for; None if it is off."""
    if settings.access_log == "off":
        return None
    from onegate.access import AccessLog  # noqa: PLC0415 - only for who wants one

    return AccessLog(settings)


def _tls(settings: Settings) -> Callable[[socket.SocketType], Transport]:
    """What puts TLS on a socket."""
    from onegate import tls  # noqa: PLC0415 - OpenSSL costs megabytes that only TLS is worth

    context = tls.context(settings.certfile, settings.keyfile)
    return lambda sock: tls.TLSSocket(sock, context)


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) - 1  # but the folder itself
