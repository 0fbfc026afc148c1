"""A worker with threads: up to N calls of the application at once, one event loop between them.

There is no queue between the loop and the threads. Whichever thread runs the loop, the *leader*,
calls the application itself, then and there. Only if that call turns out to block does another
thread take the loop over; the former leader finishes its call, hands the connection back and
joins those who wait. So the ordinary short call costs no switch of threads at all.

Two things end a leadership:

- The *watcher*, one of the waiting threads, looks every few milliseconds while there is work. A
  call that it sees twice is taken to block, and the watcher becomes the leader.
- An application that is seen to block in most of its calls (it waits for a database, say) is not
  tried first: the leader hands over before each call. Calls are sampled to find that out.

Everything that leaders share changes hands under one lock, and only the leader touches the loop
and connections that are not in a call. Why this and not a queue: docs/design.md, with figures.
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

from onegate.worker import Worker
from onegate.wsgi import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.answering import Answering

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

_HIRE_SECONDS = 30.0
"""Between two tries to start threads that the system did not give, at most."""

log = logging.getLogger("onegate.error")


class ThreadedWorker(Worker):
    """See the module."""

    _gathers = False
    _active = 0
    _doorbell = _bell = -1

    def _prepare(self) -> None:
        super()._prepare()
        self._lock = threading.Lock()
        self._vacant = True
        """Nobody leads."""
        self._in_call = False
        self._hired = 0
        """Threads that could be had."""
        self._hire_at = float("inf")
        self._hire_after = 0.0
        self._calls = 0
        self._active = 0
        self._waiting: deque[Call[Answering]] = deque()
        self._done: deque[Call[Answering]] = deque()
        self._watch_lock = threading.Lock()
        self._asleep = False
        # A lock used as a binary semaphore: the cheapest thing that wakes one thread.
        self._rouse = _thread.allocate_lock()
        self._rouse.acquire()
        self._over = threading.Event()
        self._blocked = 0.0
        self._doorbell, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll.register(self._doorbell, self._READ)

    def _start(self) -> None:
        self._hire()
        self._member()
        self._over.wait()

    def release(self) -> None:
        """See there. A call that outlives its server still rings, and keeps what it rings with."""
        if self._active:
            return
        super().release()
        if self._bell >= 0:
            os.close(self._doorbell)
            os.close(self._bell)

    def _hire(self) -> None:
        """Start the threads that are missing. The one that is there always can do all the work."""
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

    # ── leadership ───────────────────────────────────────────────────────────────────────────

    def _member(self) -> None:
        """The life of a thread: wait, lead, call, wait."""
        while not self._over.is_set():
            with self._watch_lock:
                term = self._watch()
            if term is None:
                return
            finished = self._lead(term)
            if finished is not None:
                self._hand_back(finished)

    def _watch(self) -> int | None:
        """Wait for a leadership; return its term, or None when all is over."""
        seen, quiet = -1, 0
        while not self._over.is_set():
            with self._lock:
                if self._vacant or (self._in_call and self._calls == seen):
                    self._vacant = self._in_call = False
                    self.term += 1
                    return self.term
                quiet = quiet + 1 if self._calls == seen else 0
                seen = self._calls
            if quiet < _SLEEPY:
                self._rouse.acquire(timeout=LOOK)
                continue
            self._asleep = True
            # The leader sets _in_call before it looks at _asleep, we do it the other way round:
            # one of us sees the other.
            if not self._in_call and not self._vacant:
                self._rouse.acquire()
            self._asleep = False
            quiet = 0
        return None

    def _wake_watcher(self) -> None:
        if self._rouse.locked():
            # An error means that the watcher's own time-out came first.
            with contextlib.suppress(RuntimeError):
                self._rouse.release()

    def _lead(self, term: int) -> Call[Answering] | None:
        """Run the loop. Returns the call that outlived the leadership, if one did."""
        self._local.term = term
        if self._loop(term):
            self._over.set()
            self._wake_watcher()
            return None
        finished, self._local.finished = self._local.finished, None
        return finished  # type: ignore[no-any-return]  # a threading.local knows no types

    def _leads(self, term: int) -> bool:
        return self.term == term

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def call(self, call: Call[Answering]) -> bool:
        """Call the application in this thread, which is the leader's when the call begins."""
        self.requests += 1
        self._calls += 1
        hand_over = self._blocked > _BLOCKS and self._calls % _PROBE
        with self._lock:
            if self._active >= self.settings.threads:
                call.out.deadline = float("inf")  # not called yet: that is not being stuck
                self._waiting.append(call)
                return False
            self._active += 1
            if hand_over:
                self._vacant = True
                self.term += 1
            else:
                self._in_call = True
            term = self.term
        if hand_over or self._asleep:
            self._wake_watcher()
        if hand_over:
            call.run(self._app)
            self._local.finished = call
            return False
        if self._calls % _SAMPLE:
            call.run(self._app)
        else:
            self._measure(call)
        with self._lock:
            if self.term == term:
                self._active -= 1
                self._in_call = False
                return True
        self._local.finished = call
        return False

    def _measure(self, call: Call[Answering]) -> None:
        """Make a call and learn how long it was off the processor."""
        waits = getrusage(RUSAGE_THREAD).ru_nvcsw
        began, worked = time.monotonic(), time.thread_time()
        call.run(self._app)
        blocked = time.monotonic() - began - (time.thread_time() - worked)
        if getrusage(RUSAGE_THREAD).ru_nvcsw == waits:
            blocked = 0.0  # it did not wait: others had the processor
        self._blocked += (blocked - self._blocked) / 4

    def _hand_back(self, call: Call[Answering]) -> None:
        """Return a call to the leader; go on with one that waits, if there is one."""
        while True:
            self._done.append(call)
            self._ring()
            with self._lock:
                if not self._waiting:
                    self._active -= 1
                    return
                call = self._waiting.popleft()
            call.out.deadline = time.monotonic()
            call.run(self._app)

    def _other(self, fd: int) -> None:
        if fd != self._doorbell:
            super()._other(fd)
            return
        os.read(fd, 4096)
        while self._done:
            call = self._done.popleft()
            call.out.answered(call)
            if call.out.unread:
                call.out.resume()
            if not self._leads(self._local.term):
                # This leader lost its term in there: the next one answers the bell.
                self._ring()
                return

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # so full of rings that it is heard anyway
            os.write(self._bell, b"!")
