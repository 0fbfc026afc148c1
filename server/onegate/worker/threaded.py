"""A worker with threads: N of them call the application, with one event loop between them.

There is no queue between the loop and the threads. Whichever thread runs the loop, the *leader*,
calls the application itself, then and there. Only if that call turns out to block does another
thread take the loop over; the former leader finishes its call, hands the connection back and
joins those who wait. So the ordinary short call costs no switch of threads at all.

Two things end a leadership:

- The *watcher* looks every few milliseconds while there is work. A call that it sees twice is
  taken to block, and a thread that waits becomes the leader, the one that waits since last.
- An application that is seen to block in most of its calls (it waits for a database, say) is not
  tried first: the leader hands over before each call. Calls are sampled to find that out.

The watcher is the main thread, the only one that does not call the application: there are N
connections to a database if each thread that calls has one. While all others are in calls it leads
itself, and whatever is asked meanwhile waits for the first of them that is free; it gives way as
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
import threading
import time
from collections import deque
from resource import RUSAGE_THREAD, getrusage

from onegate.worker.dispatcher import noted_address
from onegate.worker.worker import Worker
from onegate.wsgi import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.worker.connection import Connection

LOOK = 0.005
"""Seconds between two looks of the watcher: as long as the interpreter's own switch interval."""
_SLEEPY = 20
"""Looks without any call after which the watcher sleeps until it is roused."""
_SAMPLE = 16
"""One call of so many is measured while the leader calls first, ..."""
_PROBE = 256
"""... and one of so many is made without handing over, to see if the application still blocks."""
_BLOCKS = 0.0001
"""Seconds off the processor in a call that make a hand-over worth its price."""

_LATE = 1.0
"""Seconds after which a call is noted, in case it is stuck."""

_HIRE_SECONDS = 30.0
"""Between two tries to start threads that the system did not give, at most."""

log = logging.getLogger("onegate.error")


class _Own(threading.local):
    """What each thread has of its own."""

    term = 0
    """Of its last leadership."""
    finished: Call[Connection] | None = None
    """The call in which that ended."""


class ThreadedWorker(Worker):
    """See the module."""

    _gathers = False
    _active = 0
    _doorbell = _bell = -1

    def _prepare(self) -> None:
        super()._prepare()
        self._own = _Own()
        # All of the following changes under this lock, but for what says otherwise.
        self._lock = threading.Lock()
        self._vacant = True
        """Nobody leads."""
        self._stands_in = False
        """The main thread leads, although there are others."""
        self._in_call = False
        """The leader calls the application. Set to be seen without the lock, too."""
        self._hired = 0
        """Threads that could be had. Only the leader has more of them."""
        self._hire_at = float("inf")
        self._hire_after = 0.0
        self._active = 0
        """Threads in a call."""
        self._free: list[_thread.LockType] = []
        """Those that wait for something to do, each with what wakes it; the last one first, whose
        caches are warm and whose connections are open."""
        self._waiting: deque[Call[Connection]] = deque()
        """What was asked while none was free."""
        self._made: dict[int, Call[Connection]] = {}
        """The calls that are being made, or wait to be, by connection; the leader's."""
        self._done: deque[Call[Connection]] = deque()
        """For the leader; what it finds is its own, since one end is one step."""
        self._asleep = False
        # A lock used as a binary semaphore: the cheapest thing that wakes one thread.
        self._rouse = _thread.allocate_lock()
        self._rouse.acquire()
        self._over = False
        self._blocked = 0.0
        """A mean, of which no harm is done if one of two samples is lost."""
        self._doorbell, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll.register(self._doorbell, self._READ)

    def _start(self) -> None:
        self._hire()
        while (term := self._watch()) is not None:
            finished = self._lead(term)
            if finished is not None:  # there was no other thread
                self._hand_back(finished)
                with self._lock:
                    self._active -= 1
        with self._lock:
            self._stands_in = False
            free, self._free = self._free, []
        for turn in free:
            turn.release()

    def release(self) -> None:
        """See there. A call that outlives its server still rings, and keeps what it rings with."""
        if self._active:
            return
        super().release()
        if self._bell >= 0:
            os.close(self._doorbell)
            os.close(self._bell)

    def _hire(self) -> None:
        """Start the threads that are missing. Without any, the main thread calls, too."""
        while self._hired < self.settings.threads:
            name = f"onegate-{self._hired + 1}"
            try:
                threading.Thread(target=self._member, name=name, daemon=True).start()
            except RuntimeError as error:
                if not self._hire_after:
                    log.error(
                        "%s: going on with %d of %d", error, self._hired, self.settings.threads
                    )
                self._hire_after = min(_HIRE_SECONDS, self._hire_after * 2 or 1.0)
                self._hire_at = self.now + self._hire_after
                return
            self._hired += 1
        self._hire_at = float("inf")

    def _tick(self) -> None:
        super()._tick()
        if self.now >= self._hire_at:
            self._hire()

    def _report(self, oldest_call: float) -> None:
        super()._report(oldest_call)
        # Whoever leads is not stuck, and has the time that a call does not have.
        late = [call for call in self._made.values() if call.out.call_started < self.now - _LATE]
        late.sort(key=lambda call: call.out.call_started)
        self._slot.note_all(
            (call.out.call_started, noted_address(call), call.request.line) for call in late
        )

    # ── leadership ───────────────────────────────────────────────────────────────────────────

    def _member(self) -> None:
        """The life of a thread: wait, lead, call, wait."""
        turn = _thread.allocate_lock()
        turn.acquire()
        call = None
        while not self._over:
            call, term = self._next(turn, call is not None)
            if call is not None:
                call.out.start_call()
                call.run(self._app)
            elif term is not None:
                call = self._lead(term)
            else:
                turn.acquire()
            if call is not None:
                self._hand_back(call)
        if call is not None:
            with self._lock:
                self._active -= 1

    def _next(
        self, turn: _thread.LockType, called: bool
    ) -> tuple[Call[Connection] | None, int | None]:
        """A call to make, or the term of a leadership, or neither: ``turn`` will be released.

        ``called``: the thread comes from a call.
        """
        call = heir = term = None
        with self._lock:
            offer = False
            self._active -= called
            if self._waiting:
                call = self._waiting.popleft()
                self._active += 1
                if offer := self._vacant:
                    heir = self._heir()
            elif self._vacant:
                term = self._take()
            elif self._over:
                turn.release()
            else:
                self._free.append(turn)
                if self._stands_in:
                    self._ring()  # to give way
        if offer:
            self._hand_to(heir)
        return call, term

    def _take(self) -> int:
        """Lead from now on. With the lock."""
        self._vacant = self._in_call = False
        self.term += 1
        return self.term

    def _heir(self) -> _thread.LockType | None:
        """What wakes the next leader; None: the main thread, or one that is on its way. With the
        lock."""
        return self._free.pop() if self._free else None

    def _hand_to(self, heir: _thread.LockType | None) -> None:
        """Have the leadership taken that is vacant."""
        if heir is not None:
            heir.release()
        else:
            self._wake_watcher()

    def _watch(self) -> int | None:
        """Look after the leader; return a term if there is nobody else to lead, or None when all is
        over. For the main thread."""
        seen, quiet = -1, 0
        while not self._over:
            heir = None
            with self._lock:
                if self._in_call and self.requests == seen:
                    self._in_call = False
                    self._vacant = True
                    self.term += 1
                    heir = self._heir()
                if self._vacant and self._active >= self._hired:
                    self._stands_in = self._hired > 0
                    return self._take()
                quiet = quiet + 1 if self.requests == seen else 0
                seen = self.requests
            if heir is not None:
                heir.release()
            if quiet < _SLEEPY:
                self._rouse.acquire(timeout=LOOK)
                continue
            self._asleep = True
            # The leader sets _in_call before it looks at _asleep, we do it the other way round:
            # one of us sees the other.
            if not self._in_call and not self._vacant and not self._over:
                self._rouse.acquire()
            self._asleep = False
            quiet = 0
        return None

    def _wake_watcher(self) -> None:
        if self._rouse.locked():
            # An error means that the watcher's own time-out came first.
            with contextlib.suppress(RuntimeError):
                self._rouse.release()

    def _give_way(self) -> None:
        """Leave the leadership to a thread that is free, if there is one. For the main thread."""
        with self._lock:
            if not self._free or not self._stands_in:
                return
            self._vacant = True
            self._stands_in = False
            self.term += 1
            heir = self._heir()
        self._hand_to(heir)

    def _lead(self, term: int) -> Call[Connection] | None:
        """Run the loop. Returns the call that outlived the leadership, if one did."""
        own = self._own
        own.term = term
        if self._loop(term):
            self._over = True
            self._wake_watcher()
            return None
        finished, own.finished = own.finished, None
        return finished

    def _leads(self, term: int) -> bool:
        return self.term == term

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def call(self, call: Call[Connection]) -> bool:
        """Call the application in this thread, which is the leader's when the call begins."""
        self.requests += 1
        self._made[call.out.fd] = call
        if self._stands_in:
            self._put_off(call)
            return False
        hand_over = self._blocked > _BLOCKS and self.requests % _PROBE
        heir = None
        with self._lock:
            self._active += 1
            if hand_over:
                self._vacant = True
                self.term += 1
                heir = self._heir()
            else:
                self._in_call = True
            term = self.term
        if hand_over:
            self._hand_to(heir)
            call.run(self._app)
            self._own.finished = call
            return False
        if self._asleep:
            self._wake_watcher()
        if self.requests % _SAMPLE:
            call.run(self._app)
        else:
            self._measure(call)
        with self._lock:
            if self.term == term:
                self._active -= 1
                self._in_call = False
                del self._made[call.out.fd]
                return True
        self._own.finished = call
        return False

    def _put_off(self, call: Call[Connection]) -> None:
        """Leave a call to the first thread that is free."""
        call.out.wait_for_thread()
        with self._lock:
            self._waiting.append(call)
            heir = self._heir()
        if heir is not None:
            heir.release()

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
        """Return a call to the leader."""
        self._done.append(call)
        self._ring()

    def _other(self, fd: int) -> None:
        if fd != self._doorbell:
            super()._other(fd)
            return
        os.read(fd, 4096)
        while self._done:
            call = self._done.popleft()
            self._made.pop(call.out.fd, None)
            call.out.answered(call)
            if call.out.unread:
                call.out.resume()
            if not self._leads(self._own.term):
                # This leader lost its term in there: the next one answers the bell.
                self._ring()
                return
        if self._stands_in:
            self._give_way()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # so full of rings that it is heard anyway
            os.write(self._bell, b"!")
