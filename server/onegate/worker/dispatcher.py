"""The calls of a worker: requests that come together are all read, then all answered, and what
their answers end with leaves together. Why: docs/design.md."""

from __future__ import annotations

import socket
import time

from onegate.process.scoreboard import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from onegate.net.tls import Transport
    from onegate.process.scoreboard import Slot
    from onegate.worker.connection import Connection
    from onegate.wsgi import Call

_WORTHWHILE = 20e-6
"""Seconds for a request from which on it pays to gather answers: a client on this machine that
waits for more is woken for several of them, not for each. Below, the system call that lets them go
costs more."""
GATHERING = 1e-3
"""Seconds that an answer may be gathered for."""
_SLOW = 5e-3
"""A call that took so long after an answer was gathered held that up, ..."""
_APART = 10
"""... so for so many times as long each goes by itself: answers are held up for a tenth of the
time at most."""
_TCP, _NODELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY
_BEAT = Field.BEAT
_monotonic = time.monotonic


def noted_address(call: Call[Connection]) -> bytes:
    """The client's, of a call whose environ the application may have changed by now."""
    environ = call.environ or {}
    return str(environ.get("REMOTE_ADDR", "")).encode("utf-8", "replace")


class Calls:
    """What a worker has to know of its calls, and how it makes them."""

    now: float

    def __init__(self, app: Callable[..., Any], slot: Slot) -> None:
        self.requests = 0
        """How many were answered, or are about to be."""
        self.quick = self.gathering = False
        self.gathered: list[Transport] = []
        """Sockets whose last octets the kernel still holds (``MSG_MORE``), for 200 ms at most."""
        self.asked: list[Call[Connection]] = []
        self._app = app
        self._numbers = slot.numbers
        self._note = slot.note
        self._apart_until = 0.0
        self._each = 1.0
        """Seconds that a request took when some were last answered."""

    def call(self, call: Call[Connection]) -> bool:
        """Call the application here and now."""
        self.requests += 1
        self._note(call.environ["REMOTE_ADDR"].encode(), call.request.line)  # type: ignore[index]
        call.run(self._app)
        self._numbers[_BEAT] = _monotonic()
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
        app, note, monotonic = self._app, self._note, _monotonic
        since = monotonic()
        for call in batch:
            note(call.environ["REMOTE_ADDR"].encode(), call.request.line)  # type: ignore[index]
            call.run(app)
            connection = call.out
            connection.answered(call)
            if connection.unread:
                connection.resume()
            now = monotonic()
            if now - since > GATHERING:
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
