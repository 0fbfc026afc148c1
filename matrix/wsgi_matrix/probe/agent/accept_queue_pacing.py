"""Paces clients: each connects when no other waits to be accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .load_adjusted_clock import Patience

LOOKING = 0.001
"""Seconds between two reads of a listener's queue length."""


class Pacing:
    """Lets clients connect to a port one by one, as long as the server accepts connections.

    A client that meets a full queue believes that it is connected, but the server sees it seconds
    later, after a retransmission, or never: which clients a server has, and when, would be chance.
    Thread-safe.
    """

    def __init__(self, port: int, stuck: float) -> None:
        """``stuck``: seconds without an accept, after which clients no longer wait, until the queue
        is empty again."""
        self._port = port
        self._stuck = stuck
        self._moves = True
        self._lock = threading.Lock()

    @contextmanager
    def next(self, until: float = float("inf")) -> Iterator[None]:
        """Wait for one's turn, but not beyond the monotonic time ``until``. The turn ends, and the
        next client may connect, when the block is left."""
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
    """Number of connections that listeners at ``port`` have not accepted yet, which is the receive
    queue of a listening socket in proc(5). 0 if there is no listener."""
    waiting = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines():
        _, local, _, state, queues, *_ = line.split()
        if state == "0A" and int(local.partition(":")[2], 16) == port:
            waiting += int(queues.partition(":")[2], 16)
    return waiting
