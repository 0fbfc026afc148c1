"""Which connections a worker holds: taking them, and whom to let go when descriptors are short.

Descriptors are a budget. At its end

1. the connection that has waited longest for its next request is closed: its client expects that;
2. else one that has its answer and is only waited for in order not to reset it, or whose request
   has been on the way for more than a moment: a client that is slow costs others nothing while
   there is room, and has no claim to the last place. The more of them wait in the kernel's queue,
   the shorter that moment is, so that a good one among them has its turn within a second. While
   places become free by themselves, or more clients come, it is a second: then the crowd is at
   work, and late because the network or a machine is;
3. else nobody is accepted until a place is free. The kernel's queue holds who comes meanwhile.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
from select import poll
from socket import SocketType

from onegate.http1 import HeadParser
from onegate.net.listener import Listener
from onegate.worker.connection import Connection
from onegate.worker.connection_state import BODY, IDLE, LINGER
from onegate.wsgi import EnvironFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from onegate.worker.connection import Service
    from onegate.worker.dispatcher import Dispatcher

    class Loop(Service, Protocol):
        """What an acceptor needs of its worker, beside what connections need."""

        @property
        def dispatcher(self) -> Dispatcher:
            """Its ``term`` is asked for, and the number of ``requests``."""

        def hurry(self) -> None:
            """Have the timers looked at soon."""

        def accepting(self) -> None:
            """Connections are taken: not ``paused``."""

        def not_accepting(self) -> None:
            """None are, for there is no room, or no time: ``paused``."""


log = logging.getLogger("onegate.error")

# Of the workers that wait for the same listener the kernel wakes one, not all.
_LISTEN = select.EPOLLIN | select.EPOLLEXCLUSIVE
_IPV6, _STREAM = int(socket.AF_INET6), int(socket.SOCK_STREAM)
_SOCKET, _ERROR = socket.SOL_SOCKET, socket.SO_ERROR
ACCEPTS = 16
"""Connections taken from a listener before others get their turn."""
PATIENCE = 0.2
"""Seconds that a request may be on the way when its place is wanted and nothing moves. Shorter if
the queue is longer than the budget, by as much, ..."""
_LEAST = 0.05
"""... but never shorter than this."""
_WHILE_MOVING = 1.0
"""Seconds that it may be on the way while others get on, ..."""
_STILL = 0.25
"""... as they do until nobody has for so many seconds."""
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_CLIENT_LEFT = (errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR, errno.ENETDOWN)

Front = tuple[Listener, EnvironFactory, HeadParser]


class Acceptor:
    """The listeners of a worker and the connections that came through them."""

    def __init__(self, worker: Loop, epoll: select.epoll, fronts: list[Front]) -> None:
        self._worker = worker
        self._epoll = epoll
        self.fronts = {front[0].sock.fileno(): front for front in fronts}
        """The listeners by their descriptors, each with what reads the requests that come there."""
        self.connections: dict[int, Connection] = {}
        self._idle: list[Connection] = []
        """Some that waited for their next request when it was last asked for, the longest last."""
        self._budget = 1
        """Connections that there may be at once."""
        self._open = False
        self._victims: list[Connection] = []
        self._patience = PATIENCE
        self._answered = 0
        """Requests, when it was last looked for victims, ..."""
        self._queue = 0
        """... clients in the queue then, ..."""
        self._moved = 0.0
        """... and when either was last seen to grow."""
        self._reserve = _spare()

    # ── listening ────────────────────────────────────────────────────────────────────────────

    def listen(self, budget: int) -> None:
        """Take connections from now on, as long as there are fewer than ``budget``."""
        self._budget = budget
        self._open = True
        self.resume()

    def resume(self) -> None:
        """Listen again after a pause."""
        if self._open and self._worker.paused:
            self._worker.accepting()
            for fd in self.fronts:
                self._epoll.register(fd, _LISTEN)

    def pause(self) -> None:
        """Take nobody until a place is free."""
        if not self._worker.paused:
            self._worker.not_accepting()
            for fd in self.fronts:
                self._epoll.unregister(fd)

    def end(self) -> None:
        """Take nobody any more."""
        self.pause()
        self._open = False

    def release(self) -> None:
        """Close what is held in reserve."""
        if self._reserve >= 0:
            os.close(self._reserve)
            self._reserve = -1

    def queued(self) -> bool:
        """Whether somebody waits in a queue that ends with this server."""
        ours = {fd: front[0] for fd, front in self.fronts.items() if not front[0].foreign}
        abstract = [listener for listener in ours.values() if listener.abstract]
        return any(listener.waits() for listener in abstract) or _waits(
            [fd for fd, listener in ours.items() if not listener.abstract]
        )

    @property
    def listening(self) -> bool:
        """False once :meth:`end` was called."""
        return self._open

    def accept(self, fd: int) -> None:
        """Take some of those who wait at a listener."""
        listener, environs, parser = self.fronts[fd]
        worker = self._worker
        dispatcher = worker.dispatcher
        term = dispatcher.term
        listening, family = listener.sock, listener.family
        for _ in range(ACCEPTS):
            if len(self.connections) >= self._budget:
                if not _waits([fd]):
                    return
                if self._make_room():
                    continue
                self.pause()
                worker.hurry()
                return
            try:
                # What socket.accept() does, without the Python around it: half of its price.
                descriptor, address = listening._accept()  # type: ignore[attr-defined]  # of the C class
            except BlockingIOError:
                return
            except OSError as error:
                # The kernel looks for a descriptor before it looks for a client.
                if not _waits([fd]) or not self._survive(error):
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
                sock.close()  # gone already
                continue
            self.connections[connection.fd] = connection
            if worker.stopping:
                connection.hurry()
            connection.receive()
            if dispatcher.term != term:
                return

    # ── shortage ─────────────────────────────────────────────────────────────────────────────

    def _make_room(self) -> bool:
        if (idle := self._longest_idle()) is not None:
            idle.close()
            return True
        while self._victims:
            victim = self._victims.pop()
            if self._may_go(victim):
                victim.expire("it has not arrived, and its place is wanted for another client")
                victim.close()
                return len(self.connections) < self._budget
        return False

    def _longest_idle(self) -> Connection | None:
        """Who has waited longest for its next request; found when it is asked for, since to keep
        an order would cost every request, and this is asked in a shortage only."""
        for again in (False, True):
            if again:
                found = [each for each in self.connections.values() if each.is_idle]
                # Of those that were answered in the same round of the loop, the first is first.
                self._idle = sorted(found, key=lambda each: each.deadline)[::-1]
            while self._idle:
                candidate = self._idle.pop()
                if candidate.is_idle and not _waits([candidate.fd]):
                    return candidate
        return None

    def idle(self) -> int:
        """How many connections wait for their next request."""
        return sum(each.is_idle for each in self.connections.values())

    def _may_go(self, connection: Connection) -> bool:
        if connection.state <= BODY:
            return connection.waited() > self._patience and (
                # What has come of a request and is not read yet is in the events of this round.
                connection.state is not IDLE or not _waits([connection.fd])
            )
        return connection.state is LINGER

    def look_for_victims(self) -> None:
        """At the end of the budget, now and then: who has been on the way for too long?"""
        worker = self._worker
        queue = sum(listener.queue() or 0 for listener, *_ in self.fronts.values())
        requests = worker.dispatcher.requests
        if requests > self._answered or queue > self._queue:
            self._moved = worker.now
        self._answered, self._queue = requests, queue
        self._patience = max(_LEAST, PATIENCE * min(1.0, self._budget / (queue + 1)))
        if worker.now - self._moved < _STILL:
            self._patience = _WHILE_MOVING
        found = [
            (connection.waited(), connection.fd)
            for connection in self.connections.values()
            if self._may_go(connection)
        ]
        self._victims = [self.connections[fd] for _, fd in sorted(found)]
        if self._victims:
            self.resume()

    def _survive(self, error: OSError) -> bool:
        """Deal with a failed accept. False: no more for now."""
        if error.errno in _NO_DESCRIPTOR:
            if self._make_room():
                return True
            if self._reserve >= 0:
                # Somebody holds all descriptors, and there is no connection of ours to close:
                # one client at a time is served in the place of the reserve.
                log.warning("cannot accept: %s; going on with the reserve", error.strerror)
                os.close(self._reserve)
                self._reserve = -1
                return True
            self.pause()
            self._worker.hurry()
            return False
        if error.errno not in _CLIENT_LEFT:
            log.error("cannot accept: %s", error)
            return False
        return True

    def closed(self, connection: Connection) -> None:
        """A place is free."""
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


def _waits(descriptors: list[int]) -> bool:
    """Whether somebody waits: to be accepted by a listener, or for a connection to be read."""
    ready = poll()
    for fd in descriptors:
        ready.register(fd, select.POLLIN)
    return bool(ready.poll(0))


def _spare() -> int:
    """A descriptor that holds a place, or -1 if there is none."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
