"""Clients come in turn: each when nobody waits to be accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .load_adjusted_clock import Patience

LOOKING = 0.001
"""Seconds between two looks at the queue of a listener."""


class Pacing:
    """Lets clients of a port come one by one, as long as the server accepts at all.

    A client that finds the queue full believes itself connected, and the server hears of it seconds
    later, when the kernel says it again, or never: it would be chance whom the server has to bear,
    and when. Safe for threads.
    """

    def __init__(self, port: int, stuck: float) -> None:
        """``stuck``: seconds without an accept, after which nobody waits for one any more, until
        the queue is empty again."""
        self._port = port
        self._stuck = stuck
        self._moves = True
        self._lock = threading.Lock()

    @contextmanager
    def next(self, until: float = float("inf")) -> Iterator[None]:
        """Wait for one's turn, but not beyond the monotonic time ``until``. It is over, and others
        may come, when the block is left."""
        with self._lock:
            self._moves = self._has_room(Patience(self._stuck if self._moves else 0.0, until))
            yield

    def _has_room(self, patience: Patience) -> bool:
        while accept_queue(self._port):
            if not patience.left():
                return False
            time.sleep(LOOKING)
        return True


def accept_queue(port: int) -> int:
    """Connections that listeners at ``port`` have not accepted yet: of a socket that listens it is
    what proc(5) calls the receive queue. 0 if nobody listens."""
    waiting = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines():
        _, local, _, state, queues, *_ = line.split()
        if state == "0A" and int(local.partition(":")[2], 16) == port:
            waiting += int(queues.partition(":")[2], 16)
    return waiting
