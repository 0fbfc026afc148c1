"""A worker: one process, one event loop, its connections and its timers.

Descriptors are a budget. At its end a worker closes the connection that has been idle longest; if
none is idle it stops listening until one is free, and the kernel's queue holds who comes.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from onegate import tls
from onegate.body import spool_folder
from onegate.connection import Connection
from onegate.forwarded import Forwarded
from onegate.http1 import HeadParser, MessageLimits
from onegate.limits import budget
from onegate.listeners import Listener
from onegate.settings import Settings
from onegate.wsgi import Call, EnvironFactory, field_key

log = logging.getLogger("onegate.error")

_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
# Of the workers that wait for the same listener the kernel wakes one, not all.
_LISTEN = select.EPOLLIN | select.EPOLLEXCLUSIVE
_TICK = 1.0
_MAX_EVENTS = 256
_ACCEPTS = 16
"""Connections taken from a listener before others get their turn."""


class Worker:
    """Serves until told to stop. See :class:`onegate.connection.Service`."""

    _READ = select.EPOLLIN

    def __init__(
        self,
        settings: Settings,
        listeners: list[Listener],
        app: Callable[..., Any],
        lifeline: int,
    ) -> None:
        """``lifeline``: read end of a pipe that reports end of file when the master is gone."""
        self.settings = settings
        self.limits = MessageLimits(
            request_line=settings.limit_request_line,
            field_size=settings.limit_request_field_size,
            fields=settings.limit_request_fields,
            head=settings.limit_request_head,
            body=settings.limit_request_body,
        )
        self.spool = spool_folder(settings.spool)
        self.now = time.monotonic()
        self.stopping = False
        self._app = app
        self._lifeline = lifeline
        self._connections: dict[int, Connection] = {}
        self._idle: dict[Connection, None] = {}
        self._listening = False
        self._epoll = select.epoll()
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._listeners = {
            listener.sock.fileno(): (listener, *self._front(listener)) for listener in listeners
        }
        open_now = sum(1 for _ in Path("/proc/self/fd").iterdir())
        self._budget = budget(open_now).connections
        self._stop_by = 0.0
        self._next_tick = self.now + _TICK
        self._events: Iterator[tuple[int, int]] = iter(())
        self._term = 0
        self._local = threading.local()
        self._tls = tls.context(settings.certfile, settings.keyfile) if settings.certfile else None
        self.forwarded = Forwarded(settings.forwarded_allow_ips, settings.forwarded_headers)

    def _front(self, listener: Listener) -> tuple[EnvironFactory, HeadParser]:
        environs = EnvironFactory(
            server_name=listener.server_name,
            server_port=listener.server_port,
            scheme="https" if self.settings.certfile else "http",
            multithread=self.settings.threads > 1,
            multiprocess=self.settings.workers > 1,
        )
        return environs, HeadParser(self.limits, field_key, environs.new)

    # ── loop ─────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Serve until stopped, then finish what is in flight."""
        self._prepare()
        self._start()

    def _prepare(self) -> None:
        self._signals()
        self._epoll.register(self._wake, self._READ)
        self._epoll.register(self._lifeline, self._READ)
        self._listen(True)

    def _start(self) -> None:
        self._loop(0)

    def _loop(self, term: int) -> bool:
        """Handle events until all is over (True) or another thread leads (False).

        A leader may lose its term within any call below; it then returns without touching
        anything more. What it had not yet handled of the last events stands in ``_events``.
        """
        self._local.term = term
        connections = self._connections
        while not self.stopping or connections:
            for fd, mask in self._events:
                connection = connections.get(fd)
                if connection is not None:
                    connection.ready(mask)
                else:
                    self._other(fd)
                if self._term != term:
                    return False
            if self.now >= self._next_tick:
                self._next_tick = self.now + _TICK
                self._tick()
            timeout = max(0.0, self._next_tick - self.now)
            self._events = iter(self._epoll.poll(timeout, _MAX_EVENTS))
            self.now = time.monotonic()
        return True

    def _signals(self) -> None:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, lambda *_: None)  # noted through the wake-up descriptor
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _other(self, fd: int) -> None:
        if fd in self._listeners:
            self._accept(fd)
        elif fd == self._wake:
            for number in os.read(self._wake, 64):
                if number == signal.SIGTERM:
                    self._stop()
                elif number in (signal.SIGINT, signal.SIGQUIT):
                    self._stop()
                    self._stop_by = self.now
        elif fd == self._lifeline:
            self._epoll.unregister(fd)
            self._stop()

    def _tick(self) -> None:
        """Once a second: what has waited too long?"""
        if self.stopping and self.now >= self._stop_by:
            for connection in list(self._connections.values()):
                connection.close()
            return
        for connection in list(self._connections.values()):
            if connection.deadline < self.now:
                connection.expire()
        if not self.stopping and not self._listening:
            self._listen(True)

    def _stop(self) -> None:
        """Take no more connections; let those in flight end."""
        if self.stopping:
            return
        self.stopping = True
        self._stop_by = self.now + self.settings.graceful_timeout
        self._listen(False)
        for connection in list(self._idle):
            connection.close()
        self._accept_queued()

    # ── accepting ────────────────────────────────────────────────────────────────────────────

    def _listen(self, wanted: bool) -> None:
        if wanted is self._listening:
            return
        self._listening = wanted
        for fd in self._listeners:
            if wanted:
                self._epoll.register(fd, _LISTEN)
            else:
                self._epoll.unregister(fd)

    def _accept(self, fd: int) -> None:
        listener, environs, parser = self._listeners[fd]
        accept = listener.sock.accept
        term = self._term
        for _ in range(_ACCEPTS):
            if not self._room():
                return
            try:
                sock, address = accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._cannot_accept(error)
                return
            peer = (address[0], str(address[1])) if address else ("", "")
            try:
                connection = Connection(self, sock, peer, environs, parser)
            except OSError:
                sock.close()  # gone already
                continue
            self._connections[connection.fd] = connection
            connection.receive()
            if self._term != term:
                return

    def _room(self) -> bool:
        """Whether another connection fits into the budget; makes room if an idle one can go."""
        if len(self._connections) < self._budget:
            return True
        for longest_idle in self._idle:
            longest_idle.close()
            return True
        self._listen(False)
        return False

    def _cannot_accept(self, error: OSError) -> None:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            # Somebody else holds the descriptors. Wait for one of ours, or for the next tick.
            log.warning("cannot accept: %s", error.strerror)
            self._listen(False)
        elif error.errno not in (errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR):
            log.error("cannot accept: %s", error)

    def _accept_queued(self) -> None:
        """Take what the kernel has queued already: those clients were promised an answer."""
        for fd in self._listeners:
            self._accept(fd)

    # ── what connections ask for ─────────────────────────────────────────────────────────────

    def call(self, connection: Connection, call: Call, environ: dict[str, Any]) -> bool:
        """Call the application here and now."""
        call.run(self._app, environ)
        return True

    def secure(self, sock: socket.socket) -> tls.Transport:
        """Put TLS on an accepted socket, where it is spoken here."""
        return sock if self._tls is None else tls.TLSSocket(sock, self._tls)

    def watch(self, connection: Connection) -> None:
        """Report events of this connection from now on."""
        connection.watched = True
        self._epoll.register(connection.fd, _EVENTS)

    def idle(self, connection: Connection) -> None:
        """It may be closed when descriptors are short."""
        self._idle[connection] = None

    def busy(self, connection: Connection) -> None:
        """It may not."""
        self._idle.pop(connection, None)

    def closed(self, connection: Connection) -> None:
        """Forget it; its descriptor may be used for the next one."""
        del self._connections[connection.fd]
        self._idle.pop(connection, None)
        if not self._listening and not self.stopping:
            self._listen(True)
