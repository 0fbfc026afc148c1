"""Which connection a worker closes when it has as many as it may have, and more clients wait.

1. The connection that has waited longest for its next request: its client expects that.
2. Else one that has its response and is only waited for in order not to reset it, or whose request
   has been on the way for more than a moment: a client that is slow costs others nothing while
   there is room, and has no claim to the last place. The more of them wait in the kernel's queue,
   the shorter that moment is, so that a good one among them has its turn within a second. While
   places become free by themselves, or more clients come, it is a second: then the crowd is at
   work, and late because the network or a machine is.
3. Else none.
"""

from __future__ import annotations

import select
from select import poll

from onegate.worker.connection_state import BODY, IDLE, LINGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.worker.connection import Connection

PATIENCE = 0.2
"""Seconds that a request may be on the way when its place is wanted and nothing moves. Shorter if
the queue is longer than the budget, by as much, ..."""
_LEAST = 0.05
"""... but never shorter than this."""
_WHILE_MOVING = 1.0
"""Seconds that it may be on the way while others get on, ..."""
_STILL = 0.25
"""... as they do until none has for this time."""


class Evictor:
    """Chooses among ``connections``, which are its acceptor's, by descriptor."""

    def __init__(self, connections: dict[int, Connection]) -> None:
        self._connections = connections
        self._idle: list[Connection] = []
        """Some that waited for their next request when they were last sorted, the longest last."""
        self._victims: list[Connection] = []
        """Those that may go, as of the last :meth:`look`."""
        self._patience = PATIENCE
        self._requests = 0
        """Requests when it last looked, ..."""
        self._queue = 0
        """... clients in the queue then, ..."""
        self._moved = 0.0
        """... and when either was last seen to grow."""

    def evict(self) -> bool:
        """Close one connection, by the rules above. False: none may go."""
        if (idle := self._longest_idle()) is not None:
            idle.close()
            return True
        while self._victims:
            victim = self._victims.pop()
            if self._may_go(victim):
                victim.expire("incomplete request closed to make room for another client")
                victim.close()
                return True
        return False

    def look(self, *, now: float, requests: int, queue: int, budget: int) -> bool:
        """While no client is accepted: find requests that have been on the way for too long.

        ``now``: monotonic seconds. ``requests``: how many were handled so far. ``queue``: clients
        that wait to be accepted. ``budget``: connections that there may be at once.
        """
        if requests > self._requests or queue > self._queue:
            self._moved = now
        self._requests, self._queue = requests, queue
        if now - self._moved < _STILL:
            self._patience = _WHILE_MOVING
        else:
            self._patience = max(_LEAST, PATIENCE * min(1.0, budget / (queue + 1)))
        found = [
            (connection.waited(), connection.fd)
            for connection in self._connections.values()
            if self._may_go(connection)
        ]
        self._victims = [self._connections[fd] for _, fd in sorted(found)]
        return bool(found)

    def _longest_idle(self) -> Connection | None:
        """The connection that has waited longest for its next request. Found when it is needed:
        to keep an order would cost every request, and this is for a shortage only."""
        for again in (False, True):
            if again:
                found = [each for each in self._connections.values() if each.is_idle]
                # Of those that had a response in the same round of the loop, the first is first.
                self._idle = sorted(found, key=lambda each: each.deadline)[::-1]
            while self._idle:
                candidate = self._idle.pop()
                if candidate.is_idle and not readable([candidate.fd]):
                    return candidate
        return None

    def _may_go(self, connection: Connection) -> bool:
        if connection.state <= BODY:
            return connection.waited() > self._patience and (
                # What has come of a request and is not read yet is in the events of this round.
                connection.state is not IDLE or not readable([connection.fd])
            )
        return connection.state is LINGER


def readable(descriptors: list[int]) -> bool:
    """Whether something is there: a client to be accepted from a listener, or octets to be read."""
    ready = poll()
    for fd in descriptors:
        ready.register(fd, select.POLLIN)
    return bool(ready.poll(0))
