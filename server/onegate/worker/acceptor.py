"""The listeners of a worker: taking connections from them, as many as there may be.

Descriptors are a budget. At its end a connection that may go is closed for each client that waits
(:mod:`onegate.worker.evictor`); if none may, no client is accepted until one does. The kernel's
queue holds the clients that come meanwhile.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
from socket import SocketType

from onegate.http1 import HeadParser
from onegate.net.listeners import Listener
from onegate.worker.connection import Connection
from onegate.worker.evictor import Evictor, readable
from onegate.wsgi import EnvironFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from onegate.worker.call_dispatcher import Dispatcher
    from onegate.worker.connection import Service

    class Loop(Service, Protocol):
        """What an acceptor needs of its worker, besides what connections need."""

        @property
        def dispatcher(self) -> Dispatcher:
            """Its ``term`` and its ``requests`` are read."""

        def tick_soon(self) -> None:
            """Have the timers looked at soon."""

        def accepting(self) -> None:
            """Connections are taken: not ``paused``."""

        def not_accepting(self) -> None:
            """None are, for there is no room, or the worker stops: ``paused``."""


log = logging.getLogger("onegate.error")

# Of the workers that wait for the same listener the kernel wakes one, not all.
_LISTEN = select.EPOLLIN | select.EPOLLEXCLUSIVE
_IPV6, _STREAM = int(socket.AF_INET6), int(socket.SOCK_STREAM)
_SOCKET, _ERROR = socket.SOL_SOCKET, socket.SO_ERROR
ACCEPTS = 16
"""Connections taken from a listener before others get their turn."""
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_CLIENT_LEFT = (errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR, errno.ENETDOWN)

Endpoint = tuple[Listener, EnvironFactory, HeadParser]


class Acceptor:
    """The listeners of a worker and the connections that came through them."""

    def __init__(self, worker: Loop, epoll: select.epoll, endpoints: list[Endpoint]) -> None:
        self._worker = worker
        self._epoll = epoll
        self.endpoints = {endpoint[0].sock.fileno(): endpoint for endpoint in endpoints}
        """The listeners by their descriptors, each with what reads the requests that come there."""
        self.connections: dict[int, Connection] = {}
        self._evictor = Evictor(self.connections)
        self._budget = 1
        """Connections that there may be at once."""
        self._open = False
        self._reserve = _spare()

    # ── listening ────────────────────────────────────────────────────────────────────────────

    def listen(self, budget: int) -> None:
        """Accept clients from now on, as long as there are fewer connections than ``budget``."""
        self._budget = budget
        self._open = True
        self.resume()

    def resume(self) -> None:
        """Listen again after a pause."""
        if self._open and self._worker.paused:
            self._worker.accepting()
            for fd in self.endpoints:
                self._epoll.register(fd, _LISTEN)

    def _pause(self) -> None:
        """Accept no client until there is room."""
        if not self._worker.paused:
            self._worker.not_accepting()
            for fd in self.endpoints:
                self._epoll.unregister(fd)

    def stop(self) -> None:
        """Accept no client any more."""
        self._pause()
        self._open = False

    def release(self) -> None:
        """Close what is held in reserve."""
        if self._reserve >= 0:
            os.close(self._reserve)
            self._reserve = -1

    def has_queued_clients(self) -> bool:
        """Whether a client waits in a queue that ends with this server."""
        ours = {
            fd: endpoint[0] for fd, endpoint in self.endpoints.items() if not endpoint[0].foreign
        }
        abstract = [listener for listener in ours.values() if listener.abstract]
        return any(listener.waits() for listener in abstract) or readable(
            [fd for fd, listener in ours.items() if not listener.abstract]
        )

    @property
    def listening(self) -> bool:
        """False once :meth:`stop` was called."""
        return self._open

    def accept(self, fd: int) -> None:
        """Accept some of the clients that wait at a listener."""
        listener, environs, parser = self.endpoints[fd]
        worker = self._worker
        dispatcher = worker.dispatcher
        term = dispatcher.term
        listening, family = listener.sock, listener.family
        for _ in range(ACCEPTS):
            if len(self.connections) >= self._budget:
                if readable([fd]) and self._make_room():
                    continue
                return
            try:
                # What socket.accept() does, without the Python around it: half of its price.
                descriptor, address = listening._accept()  # type: ignore[attr-defined]  # of the C class
            except BlockingIOError:
                return
            except OSError as error:
                # The kernel looks for a descriptor before it looks for a client.
                if not readable([fd]) or not self._recover_from(error):
                    return
                continue
            sock = SocketType(family, _STREAM, 0, descriptor)
            if family == _IPV6:
                peer = _unmapped(address[0]), str(address[1])
            else:
                peer = (address[0], str(address[1])) if address else ("", "")
            try:
                if sock.getsockopt(_SOCKET, _ERROR):
                    raise ConnectionResetError  # while it waited; its request may be here
                connection = Connection(worker, sock, peer, environs, parser)
            except OSError:
                sock.close()  # it has left already
                continue
            self.connections[connection.fd] = connection
            if worker.stopping:
                connection.limit_idle()
            connection.receive()
            if dispatcher.term != term:
                return

    # ── shortage ─────────────────────────────────────────────────────────────────────────────

    def _make_room(self) -> bool:
        """Close a connection that may go. False: none may, so no client is accepted for now."""
        if self._evictor.evict():
            return True
        self._pause()
        self._worker.tick_soon()
        return False

    def idle(self) -> int:
        """How many connections wait for their next request."""
        return sum(each.is_idle for each in self.connections.values())

    def look_for_victims(self) -> None:
        """While no client is accepted, now and then: may a connection go by now?"""
        queue = sum(listener.queue() or 0 for listener, *_ in self.endpoints.values())
        requests = self._worker.dispatcher.requests
        if self._evictor.look(
            now=self._worker.now, requests=requests, queue=queue, budget=self._budget
        ):
            self.resume()

    def _recover_from(self, error: OSError) -> bool:
        """Deal with a failed accept. False: no more for now."""
        if error.errno in _NO_DESCRIPTOR:
            if self._reserve < 0:
                return self._make_room()
            if not self._evictor.evict():
                # Something else holds all descriptors, and there is no connection to close:
                # one client at a time is served in the place of the reserve.
                log.warning("cannot accept: %s; using the reserve descriptor", error.strerror)
                os.close(self._reserve)
                self._reserve = -1
            return True
        if error.errno not in _CLIENT_LEFT:
            log.error("cannot accept: %s", error)
            return False
        return True

    def closed(self, connection: Connection) -> None:
        """There is room for another one."""
        del self.connections[connection.fd]
        if self._reserve < 0:
            self._reserve = _spare()
            if self._reserve < 0 and self.connections:
                return
        if self._worker.paused:
            self.resume()


def _unmapped(address: str) -> str:
    """A client's address of IPv4 as such, also where a listener of IPv6 took the connection and
    has it as ``::ffff:192.0.2.1`` (RFC 4291, 2.5.5.2)."""
    return address[7:] if address[:7] == "::ffff:" and "." in address else address


def _spare() -> int:
    """A descriptor that holds a place, or -1 if there is none."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
