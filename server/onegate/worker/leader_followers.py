"""Calls by N threads, with one event loop between them: Leader/Followers.

The pattern is that of Schmidt, Stal, Rohnert and Buschmann, "Pattern-Oriented Software
Architecture", volume 2 (POSA2), chapter 5, with one change: a leader does not promote a follower
before each call, but only for one that turns out to block.

There is no queue between the loop and the threads. Whichever thread runs the loop, the *leader*,
calls the application itself, then and there. Only if that call turns out to block does another
thread, a *follower*, take the loop over; the former leader finishes its call, hands the connection
back and becomes a follower. So the ordinary short call costs no switch of threads at all.

Two things end a leadership:

- The *watcher* looks every few milliseconds while there is work. A call that it sees twice is
  taken to block, and a follower is promoted, the one that has waited since last.
- An application that is seen to block in most of its calls (it waits for a database, say) is not
  tried first: the leader promotes a follower before each call. Calls are sampled to find that out.

The watcher is the main thread, the only one that does not call the application: there are N
connections to a database if each thread that calls has one. While all others are in calls it leads
itself, and what is requested meanwhile waits for the first of them that is free; it steps down as
soon as that one has nothing left to do.

Everything that leaders share changes hands under one lock, and only the leader touches the loop
and connections that are not in a call. Why this and not a queue, and what else threads share:
docs/design.md, with figures.
"""

from __future__ import annotations

import _thread
import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from resource import RUSAGE_THREAD, getrusage

from onegate.worker.call_dispatcher import Dispatcher, noted_address
from onegate.wsgi import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from onegate.process.scoreboard import Slot
    from onegate.worker.connection import Connection

LOOK = 0.005
"""Seconds between two looks of the watcher: as long as the interpreter's own switch interval."""
_SLEEPY = 20
"""Looks without any call after which the watcher sleeps until it is woken."""
_SAMPLE = 16
"""One call in _SAMPLE is measured while the leader calls first, ..."""
_PROBE = 256
"""... and one in _PROBE is made without promoting, to see if the application still blocks."""
_BLOCKS = 0.0001
"""Seconds off the processor in a call that make a promotion worth its price."""

_LATE = 1.0
"""Seconds after which a call is noted, in case it is stuck."""

_START_SECONDS = 30.0
"""Between two tries to start threads that the system did not give, at most."""

log = logging.getLogger("onegate.error")


class _Own(threading.local):
    """What each thread has of its own."""

    term = 0
    """Of its last leadership."""
    outlasting: Call[Connection] | None = None
    """The call in which that ended."""


class _Alarm:
    """What the watcher sleeps by, without a lock on the leader's way.

    What has something for the watcher to see first makes it visible, then looks at ``asleep``
    and wakes it. The watcher first says that it is ``asleep``, then looks whether there is
    something to see. In whatever order the steps of both come, one of them sees the other, so the
    watcher never sleeps through a call. Woken once too often, it looks once too often.
    """

    __slots__ = ("_semaphore", "asleep")

    def __init__(self) -> None:
        self.asleep = False
        # A lock used as a binary semaphore: the cheapest thing that wakes one thread.
        self._semaphore = _thread.allocate_lock()
        self._semaphore.acquire()

    def doze(self, seconds: float) -> None:
        """Wait for ``seconds``, or until woken."""
        self._semaphore.acquire(timeout=seconds)

    def sleep(self, unless: Callable[[], bool]) -> None:
        """Wait until woken, ``unless`` there is something to see already."""
        self.asleep = True
        if not unless():
            self._semaphore.acquire()
        self.asleep = False

    def wake(self) -> None:
        """End a wait, or the next one."""
        if self._semaphore.locked():
            # An error means that the watcher's own timeout came first.
            with contextlib.suppress(RuntimeError):
                self._semaphore.release()


class LeaderFollowers(Dispatcher):
    """See the module. ``threads``: how many call the application."""

    _loop: Callable[[int], bool]

    def __init__(self, app: Callable[..., Any], slot: Slot, threads: int) -> None:
        super().__init__(app, slot)
        self._threads = threads
        self._own = _Own()
        # All of the following changes under this lock, but for what says otherwise.
        self._lock = threading.Lock()
        self._vacant = True
        """No thread leads."""
        self._watcher_leads = False
        """The main thread leads, although there are others."""
        self._in_call = False
        """The leader calls the application. Set to be seen without the lock, too."""
        self._started = 0
        """Threads that could be had. Only the leader starts more of them."""
        self._start_at = float("inf")
        self._start_delay = 0.0
        self._active = 0
        """Threads in a call."""
        self._followers: list[_thread.LockType] = []
        """Threads that wait for something to do, each by what wakes it; the last one first, whose
        caches are warm and whose connections are open."""
        self._queue: deque[Call[Connection]] = deque()
        """What was requested while no thread was free."""
        self._calls: dict[int, Call[Connection]] = {}
        """The calls that are being made, or are queued, by connection; the leader's."""
        self._returned: deque[Call[Connection]] = deque()
        """For the leader; what it finds is its own, since one end is one step."""
        self._alarm = _Alarm()
        self._over = False
        self._blocked = 0.0
        """A mean, of which no harm is done if one of two samples is lost."""
        self._doorbell = self._bell = -1
        """Of a pipe by which a call that has returned wakes the loop."""

    def prepare(self, events: select.epoll) -> None:
        """See there."""
        self._doorbell, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        events.register(self._doorbell, select.EPOLLIN)

    def run(self, loop: Callable[[int], bool]) -> None:
        """Watch, and lead where no other thread can. For the main thread."""
        self._loop = loop
        self._start_threads(time.monotonic())
        while (term := self._watch()) is not None:
            outlasting = self._lead(term)
            if outlasting is not None:  # there was no other thread
                self._hand_back(outlasting)
        with self._lock:
            self._watcher_leads = False
            followers, self._followers = self._followers, []
        for turn in followers:
            turn.release()

    def release(self) -> bool:
        """See there. A call that outlives its server still rings, and keeps what it rings with."""
        if self._active:
            return False
        if self._bell >= 0:
            os.close(self._doorbell)
            os.close(self._bell)
        return True

    def _start_threads(self, now: float) -> None:
        """Start the threads that are missing. Without any, the main thread calls, too."""
        while self._started < self._threads:
            name = f"onegate-{self._started + 1}"
            try:
                threading.Thread(target=self._serve, name=name, daemon=True).start()
            except RuntimeError as error:
                if not self._start_delay:
                    log.error(
                        "%s: continuing with %d of %d threads", error, self._started, self._threads
                    )
                self._start_delay = min(_START_SECONDS, self._start_delay * 2 or 1.0)
                self._start_at = now + self._start_delay
                return
            self._started += 1
        self._start_at = float("inf")

    def tick(self, now: float) -> None:
        """Note calls that last, and start threads that could not be had so far."""
        # A thread that leads is not stuck, and has the time that a call does not have.
        late = [call for call in self._calls.values() if call.out.call_started < now - _LATE]
        late.sort(key=lambda call: call.out.call_started)
        self._slot.note_all(
            (call.out.call_started, noted_address(call), call.request.line) for call in late
        )
        if now >= self._start_at:
            self._start_threads(now)

    # ── leadership ───────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        """The life of a thread: follow, lead, call, follow."""
        turn = _thread.allocate_lock()
        turn.acquire()
        while not self._over:
            call, term = self._join(turn)
            if call is not None:
                call.out.start_call()
                call.run(self._app)
            elif term is not None:
                call = self._lead(term)
            else:
                turn.acquire()
            if call is not None:
                self._hand_back(call)

    def _join(self, turn: _thread.LockType) -> tuple[Call[Connection] | None, int | None]:
        """A call to make, or the term of a leadership, or neither: then this thread follows, and
        ``turn`` will be released."""
        with self._lock:
            if self._queue:
                call = self._queue.popleft()
                self._active += 1
                if not self._vacant:
                    return call, None
                heir = self._promoted()
            elif self._vacant:
                return None, self._take()
            else:
                if self._over:
                    turn.release()
                else:
                    self._followers.append(turn)
                    if self._watcher_leads:
                        self._ring()  # to step down
                return None, None
        self._wake(heir)
        return call, None

    def _take(self) -> int:
        """Lead from now on; the term. With the lock."""
        self._vacant = self._in_call = False
        self.term += 1
        return self.term

    def _vacate(self) -> _thread.LockType | None:
        """End the present leadership; see :meth:`_promoted`. With the lock."""
        self._vacant = True
        self.term += 1
        return self._promoted()

    def _promoted(self) -> _thread.LockType | None:
        """What wakes the follower that leads next; None: it is the main thread, or one that is on
        its way. With the lock."""
        return self._followers.pop() if self._followers else None

    def _wake(self, heir: _thread.LockType | None) -> None:
        """Have the leadership taken that is vacant."""
        if heir is not None:
            heir.release()
        else:
            self._alarm.wake()

    def _watch(self) -> int | None:
        """Look after the leader; return a term if no other thread can lead, or None when all is
        over. For the main thread."""
        seen, quiet = -1, 0
        while not self._over:
            heir = None
            with self._lock:
                if self._in_call and self.requests == seen:
                    self._in_call = False
                    heir = self._vacate()
                if self._vacant and self._active >= self._started:
                    self._watcher_leads = self._started > 0
                    return self._take()
                quiet = quiet + 1 if self.requests == seen else 0
                seen = self.requests
            if heir is not None:
                heir.release()
            if quiet < _SLEEPY:
                self._alarm.doze(LOOK)
            else:
                self._alarm.sleep(unless=self._is_busy)
                quiet = 0
        return None

    def _is_busy(self) -> bool:
        """Whether there is something for the watcher to see."""
        return self._in_call or self._vacant or self._over

    def _step_down(self) -> None:
        """Leave the leadership to a follower, if there is one. For the main thread."""
        with self._lock:
            if not self._followers or not self._watcher_leads:
                return
            self._watcher_leads = False
            heir = self._vacate()
        self._wake(heir)

    def _lead(self, term: int) -> Call[Connection] | None:
        """Run the loop. Returns the call that outlasted the leadership, if one did."""
        own = self._own
        own.term = term
        if self._loop(term):
            self._over = True
            self._alarm.wake()
            return None
        outlasting, own.outlasting = own.outlasting, None
        return outlasting

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def dispatch(self, call: Call[Connection]) -> None:
        """Have the application called, in one of three ways. For the leader."""
        self.requests += 1
        self._calls[call.out.fd] = call
        if self._watcher_leads:
            self._enqueue(call)
        elif self._blocked > _BLOCKS and self.requests % _PROBE:
            self._promote_and_call(call)
        else:
            self._call_as_leader(call)

    def _enqueue(self, call: Call[Connection]) -> None:
        """Leave a call to the first thread that is free."""
        call.out.wait_for_thread()
        with self._lock:
            self._queue.append(call)
            heir = self._promoted()
        if heir is not None:
            heir.release()

    def _promote_and_call(self, call: Call[Connection]) -> None:
        """Call an application that mostly blocks, when another thread leads already."""
        with self._lock:
            self._active += 1
            heir = self._vacate()
        self._wake(heir)
        call.run(self._app)
        self._own.outlasting = call

    def _call_as_leader(self, call: Call[Connection]) -> None:
        """Call the application, and lead again afterwards, if no other thread does by then."""
        with self._lock:
            self._active += 1
            self._in_call = True
            term = self.term
        if self._alarm.asleep:
            self._alarm.wake()
        if self.requests % _SAMPLE:
            call.run(self._app)
        else:
            self._measure(call)
        with self._lock:
            if self.term != term:
                self._own.outlasting = call
                return
            self._active -= 1
            self._in_call = False
        del self._calls[call.out.fd]
        call.out.response_done(call)

    def _measure(self, call: Call[Connection]) -> None:
        """Make a call and learn how long it was off the processor."""
        waits = getrusage(RUSAGE_THREAD).ru_nvcsw
        began, worked = time.monotonic(), time.thread_time()
        call.run(self._app)
        blocked = time.monotonic() - began - (time.thread_time() - worked)
        if getrusage(RUSAGE_THREAD).ru_nvcsw == waits:
            blocked = 0.0  # it did not wait: others had the processor
        self._blocked += (blocked - self._blocked) / 4

    def _hand_back(self, call: Call[Connection]) -> None:
        """Return a call to the leader. For the thread that has made it, and leads no more."""
        self._returned.append(call)
        self._ring()
        with self._lock:
            self._active -= 1  # only now: the bell is kept for those that are active

    def ready(self, fd: int) -> None:
        """If the bell was rung, finish what has returned. For the leader."""
        if fd != self._doorbell:
            return
        os.read(fd, 4096)
        while self._returned:
            call = self._returned.popleft()
            self._calls.pop(call.out.fd, None)
            call.out.response_done(call)
            if call.out.unread:
                call.out.resume()
            if self.term != self._own.term:
                # This leader lost its term in there: the next one takes back the rest.
                self._ring()
                return
        if self._watcher_leads:
            self._step_down()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so the loop is woken anyway
            os.write(self._bell, b"!")
