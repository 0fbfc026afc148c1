"""What workers tell of themselves, in memory that they share with the master.

Liveness must not depend on a disk, nor on a worker that has time to answer: a worker writes a
number into its own slot, and whoever wants to know reads it. Nobody waits for anybody.
"""

from __future__ import annotations

import mmap


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
    CRASHED = 2  # workers that ended without being asked to
    TIMED_OUT = 3  # workers that were killed for --timeout
    RETIRED = 4  # workers that asked to be replaced
    RELOADED = 5
    RELOAD_FAILED = 6


_TOTALS = 7
_MAP_NORESERVE = 0x4000
"""asm-generic/mman.h. Of the room for slots only the pages that are written to are memory."""
_MOST = 1 << 16


class Slot:
    """One worker's numbers."""

    __slots__ = ("_all", "_first", "index")

    def __init__(self, doubles: memoryview[float], index: int) -> None:
        self._all = doubles
        self._first = _TOTALS + index * _FIELDS
        self.index = index

    def __getitem__(self, field: int) -> float:
        return self._all[self._first + field]

    def __setitem__(self, field: int, value: float) -> None:
        self._all[self._first + field] = value

    def clear(self) -> None:
        """Free for another worker. What only grows is kept."""
        for field in range(_KEPT):
            self[field] = 0.0
        self[Field.BEFORE] = self[Field.REQUESTS]

    @property
    def numbers(self) -> memoryview[float]:
        """The doubles themselves, for the loop, where a turn should cost next to nothing."""
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
        self.totals = self._all[:_TOTALS]
        """See :class:`Total`; written by the master alone."""

    def slot(self, index: int) -> Slot:
        """The slot of that number, counted from 0."""
        return Slot(self._all, index)

    def slots(self) -> list[Slot]:
        """Those that some worker has, or has had."""
        return [self.slot(index) for index in range(int(self.totals[Total.SLOTS]))]

    def take(self) -> Slot | None:
        """A free slot, the first one; None if there is none."""
        slots = self.slots()
        for slot in slots:
            if not slot[Field.PID]:
                return slot
        if len(slots) == self.most:
            return None
        self.totals[Total.SLOTS] += 1
        return self.slot(len(slots))

    def used(self) -> list[Slot]:
        """The slots of living workers."""
        return [slot for slot in self.slots() if slot[Field.PID]]
