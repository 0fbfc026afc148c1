"""What workers report, in memory that they share with the master.

Liveness must not depend on a disk, nor on a worker that has time to reply: a worker writes numbers
into its own slot, and the master reads them. Neither waits for the other.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Container, Iterable
from functools import partial
from itertools import islice

from onegate._record import Record


class Field:
    """The numbers of a slot; each is a double, written by one process at a time."""

    PID = 0
    BEAT = 1  # monotonic seconds of the last turn of the loop
    CALL_SINCE = 2  # monotonic seconds at which the oldest call began, 0 if there is none
    CONNECTIONS = 3
    IDLE = 4
    BUDGET = 5
    DESCRIPTORS = 6
    GENERATION = 7
    SERVES = 8
    NOFILE = 9
    RESIDENT = 10  # octets
    STOPPING = 11  # set by the master, before its signal, if all workers are to stop
    BEFORE = 12  # requests of those who had the slot before

    # From here on sums over all workers that ever had the slot: they only grow.
    REQUESTS = 13
    SECONDS = 14  # of all responses, from the end of the head to the end of the call
    STATUSES = 15  # the first of four: responses of 2xx ... 5xx
    REFUSED = 19  # requests, from their octets
    HEADS_REFUSED = 20  # of responses, for what the application put in them
    DURATIONS = 21  # the first of those that count responses by DURATIONS, and of all others


DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds up to which responses are counted: the limits of Prometheus' own clients."""
_FIELDS = Field.DURATIONS + len(DURATIONS) + 1
_KEPT = Field.REQUESTS


class Total:
    """The master's own numbers, which stand in front of the slots."""

    SLOTS = 0  # how many were ever in use at a time
    WANTED = 1  # workers
    CRASHED = 2  # workers that ended unexpectedly
    TIMED_OUT = 3  # workers that were killed for --timeout
    RETIRED = 4  # workers that asked to be replaced
    RELOADED = 5
    RELOAD_FAILED = 6


_TOTALS = 7
_MAP_NORESERVE = 0x4000
"""asm-generic/mman.h. Of the room for slots only the pages that are written to are memory."""
_MOST = 1 << 16


_RECORD = struct.Struct("d64s440s")
_RECORDS = 8
_NOTED = 1024


class Noted(Record):
    """A call as a worker has noted it beforehand, since it may get stuck and report nothing."""

    since: float
    """Monotonic seconds; 0 of a worker with one thread, whose call began when the one before had
    ended: with its last sign of life."""
    client: str
    """Its address, as in the environ."""
    line: str
    """The request line; only the front of one that is long."""


class Slot:
    """One worker's numbers, and its calls."""

    __slots__ = ("_all", "_calls", "_first", "index")

    def __init__(self, doubles: memoryview[float], calls: memoryview, index: int) -> None:
        self._all = doubles
        self._first = _TOTALS + index * _FIELDS
        size = _RECORDS * _RECORD.size
        self._calls = calls[index * size : (index + 1) * size] if index < _NOTED else None
        self.index = index

    @property
    def note(self) -> Callable[[bytes, bytes], None]:
        """What notes the present call of a worker with one thread: the client's address and the
        request line. It is called for each request, so it is a single function in C."""
        if self._calls is None:
            return lambda *_: None
        return partial(_RECORD.pack_into, self._calls, 0, 0.0)

    def note_all(self, calls: Iterable[tuple[float, bytes, bytes]]) -> None:
        """Note the oldest calls of a worker with threads, in the place of all others."""
        if self._calls is not None:
            noted = [_RECORD.pack(*call) for call in islice(calls, _RECORDS)]
            octets = b"".join(noted).ljust(len(self._calls), b"\0")
            self._calls[:] = octets

    def noted(self) -> list[Noted]:
        """The calls that are noted. One that a worker with one thread has ended is among them until
        the next begins."""
        if self._calls is None:
            return []
        return [
            Noted(since=since, client=_text(client), line=_text(line))
            for since, client, line in _RECORD.iter_unpack(self._calls)
            if line[0]
        ]

    def __getitem__(self, field: int) -> float:
        return self._all[self._first + field]

    def __setitem__(self, field: int, value: float) -> None:
        self._all[self._first + field] = value

    def clear(self) -> None:
        """Free it for another worker. Counters are kept."""
        for field in range(_KEPT):
            self[field] = 0.0
        self[Field.BEFORE] = self[Field.REQUESTS]
        self.note_all([])

    @property
    def numbers(self) -> memoryview[float]:
        """The doubles themselves, for the loop, where an iteration should cost next to nothing."""
        return self._all[self._first : self._first + _FIELDS]


class Scoreboard:
    """Slots in anonymous shared memory, made before the first fork.

    ``most``: how many processes may have one at the same time.
    """

    def __init__(self, most: int = _MOST) -> None:
        self.most = most
        size = (_TOTALS + most * _FIELDS) * 8
        flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        self._all = memoryview(mmap.mmap(-1, size, flags=flags)).cast("d")
        size = min(most, _NOTED) * _RECORDS * _RECORD.size
        self._calls = memoryview(mmap.mmap(-1, size, flags=flags))
        self.totals = self._all[:_TOTALS]
        """See :class:`Total`; written by the master alone."""

    def slot(self, index: int) -> Slot:
        """The slot with that index."""
        return Slot(self._all, self._calls, index)

    def slots(self) -> list[Slot]:
        """Those that are or have been in use."""
        return [self.slot(index) for index in range(int(self.totals[Total.SLOTS]))]

    def take(self, reserved: Container[int] = ()) -> Slot | None:
        """A free slot, the first one whose index is not ``reserved``; None if there is none."""
        slots = self.slots()
        for slot in slots:
            if not slot[Field.PID] and slot.index not in reserved:
                return slot
        if len(slots) == self.most:
            return None
        self.totals[Total.SLOTS] += 1
        return self.slot(len(slots))

    def used(self) -> list[Slot]:
        """The slots of living workers."""
        return [slot for slot in self.slots() if slot[Field.PID]]


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("latin-1")
