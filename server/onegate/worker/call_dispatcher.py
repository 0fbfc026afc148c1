"""What calls the application: each complete request goes there, and its handler returns there.

    connection ── dispatch(call) ──► dispatcher ── call.run(app) ──► handler
        ▲                                │  ▲                           │
        └────── response_done(call) ─────┘  └───────── returns ─────────┘

The handler only sends and returns; the dispatcher alone notifies a connection that its response is
done. A worker with one thread has an :class:`InlineDispatcher`, one with more the
:class:`onegate.worker.leader_followers.LeaderFollowers`.
"""

from __future__ import annotations

import socket
import time

from onegate.process.scoreboard import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from select import epoll
    from typing import Any

    from onegate.net.tls import Transport
    from onegate.process.scoreboard import Slot
    from onegate.worker.connection import Connection
    from onegate.wsgi import Call

_WORTHWHILE = 10e-6
"""Seconds for a request from which on it pays to gather responses: a client on this machine that
waits for more is woken for several of them, not for each. Below, the system call that sends them
costs more."""
GATHERING = 1e-3
"""Seconds that a response may be gathered for."""
_SLOW = 5e-3
"""A call that takes this long after a response was gathered holds that up, ..."""
_APART = 10
"""... so for _APART times as long each is sent by itself: responses are held up for a tenth of the
time at most."""
_TCP, _NODELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY
_BEAT = Field.BEAT
_monotonic = time.monotonic


def noted_address(call: Call[Connection]) -> bytes:
    """The client's, of a call whose environ the application may have changed by now."""
    environ = call.environ or {}
    return str(environ.get("REMOTE_ADDR", "")).encode("utf-8", "replace")


class Dispatcher:
    """What loop, acceptor and connections see of either kind of dispatcher."""

    def __init__(self, app: Callable[..., Any], slot: Slot) -> None:
        self.term = 0
        """Number of the leadership of the loop. A thread that leads under another number has lost
        it, and touches nothing more."""
        self.quick = False
        """Calls are short just now: one may be put off until all is read that has come, and the end
        of a response may wait for the end of its connection."""
        self.gathering = False
        """The end of a response may also wait in the kernel, for those of the next ones."""
        self.requests = 0
        """How many were handled, or are about to be."""
        self.deferred: list[Call[Connection]] = []
        """Calls that connections put off while they are ``quick``, for :meth:`run_deferred`."""
        self._app = app
        self._slot = slot
        self._numbers = slot.numbers
        self.gathered: list[Transport] = []
        """Sockets for which the kernel still holds the end of a response (``MSG_MORE``), for 200 ms
        at most; connections add them while it is ``gathering``."""

    def prepare(self, events: epoll) -> None:
        """To be called once, when the worker begins to serve. ``events``: of its loop."""

    def run(self, loop: Callable[[int], bool]) -> None:
        """Have ``loop`` run under one term or several, until it returns True: all is over."""
        loop(self.term)

    def dispatch(self, call: Call[Connection]) -> None:
        """Make a call, or have it made. ``response_done`` of its connection follows in any case, in
        the thread that runs the loop: before this returns or, with threads, at some later time."""
        raise NotImplementedError

    def run_deferred(self) -> None:
        """Make the calls that were put off."""

    def next_round(self, busy: float, now: float) -> None:
        """The loop begins a round at ``now``; the last one was at work for ``busy`` seconds."""

    def tick(self, now: float) -> None:
        """To be called once a second or more often."""

    def ready(self, fd: int) -> None:
        """A descriptor has an event that is not the worker's: one that ``prepare`` registered, or a
        connection's that is closed."""

    def release(self) -> bool:
        """Close its descriptors. False if a call still needs them, and those of the worker."""
        return True


class InlineDispatcher(Dispatcher):
    """Calls in the loop's own thread, one after the other, each to the end of its response.

    Requests that come together are all read, then all handled, and the ends of their responses are
    sent together. Why: docs/design.md.
    """

    def __init__(self, app: Callable[..., Any], slot: Slot) -> None:
        super().__init__(app, slot)
        self._note = slot.note
        self._apart_until = 0.0
        self._each = 1.0
        """Seconds that a request took in the last round, ..."""
        self._before = 0
        """... and the requests up to its end."""

    def dispatch(self, call: Call[Connection]) -> None:
        """Call the application here and now."""
        self.requests += 1
        self._note(call.environ["REMOTE_ADDR"].encode(), call.request.line)  # type: ignore[index]
        call.run(self._app)
        self._numbers[_BEAT] = _monotonic()
        call.out.response_done(call)

    def run_deferred(self) -> None:
        """Make the calls that were put off: when all is read that has come at the same time.

        So the code for either is in the processor's caches, which a framework's call empties. It
        is done only while calls are short. One that is not holds up those behind it as ever, but
        it does not make a worker with many calls to make look stuck.
        """
        batch, self.deferred = self.deferred, []
        self.requests += len(batch)
        self.gathering = self._each > _WORTHWHILE and len(batch) > 1
        app, note, monotonic = self._app, self._note, _monotonic
        since = monotonic()
        for call in batch:
            note(call.environ["REMOTE_ADDR"].encode(), call.request.line)  # type: ignore[index]
            call.run(app)
            connection = call.out
            connection.response_done(call)
            if connection.unread:
                connection.resume()
            now = monotonic()
            if now - since > GATHERING:
                self._push(now - since)
                self._numbers[_BEAT] = since = now
        if self.gathered:
            self._push(0.0)
        self.gathering = False

    def next_round(self, busy: float, now: float) -> None:
        """Whether calls are quick is what the last round says."""
        requests = self.requests
        self._each = each = busy / (requests - self._before or 1)
        self._before = requests
        self.quick = each < GATHERING and now > self._apart_until

    def _push(self, waited: float) -> None:
        """Have sent what the kernel has gathered; ``waited``: the first of it, if that was long."""
        if waited > _SLOW:
            self._apart_until = _monotonic() + _APART * waited
        for sock in self.gathered:
            try:  # noqa: SIM105 - suppress() costs more than the system call
                sock.setsockopt(_TCP, _NODELAY, 1)
            except OSError:
                pass  # closed meanwhile, and that sends it too
        self.gathered.clear()
