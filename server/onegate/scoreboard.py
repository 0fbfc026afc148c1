"""What workers tell of themselves, in memory that they share with the master.

Liveness must not depend on a disk, nor on a worker that has time to answer: a worker writes a
number into its own slot, and whoever wants to know reads it. Nobody waits for anybody.
"""

from __future__ import annotations

import mmap


class Field:
    """The numbers of a slot; each is a double, written by one process only."""

    PID = 0
    BEAT = 1  # monotonic seconds of the last turn of the loop
    CALL_SINCE = 2  # monotonic seconds at which the oldest call began, 0 if there is none
    REQUESTS = 3
    CONNECTIONS = 4
    IDLE = 5
    BUDGET = 6
    DESCRIPTORS = 7
    QUEUE_SECONDS = 8  # sum over all requests, from complete to called
    GENERATION = 9
    SERVES = 10
    NOFILE = 11
    RESIDENT = 12  # octets
    STOPPING = 13  # set by the master, before its signal, if all workers are to stop


_FIELDS = 14


class Slot:
    """One worker's numbers."""

    __slots__ = ("_all", "_first", "index")

    def __init__(self, doubles: memoryview[float], index: int) -> None:
        self._all = doubles
        self._first = index * _FIELDS
        self.index = index

    def __getitem__(self, field: int) -> float:
        return self._all[self._first + field]

    def __setitem__(self, field: int, value: float) -> None:
        self._all[self._first + field] = value

    def clear(self) -> None:
        """All zero: free for another worker."""
        for field in range(_FIELDS):
            self[field] = 0.0

    @property
    def numbers(self) -> memoryview[float]:
        """The doubles themselves, for the loop, where a turn should cost next to nothing."""
        return self._all[self._first : self._first + _FIELDS]


class Scoreboard:
    """Slots in anonymous shared memory, made before the first fork.

    ``slots``: how many processes may have one at the same time.
    """

    def __init__(self, slots: int) -> None:
        doubles = memoryview(mmap.mmap(-1, slots * _FIELDS * 8)).cast("d")
        self.slots = [Slot(doubles, index) for index in range(slots)]

    def take(self) -> Slot | None:
        """A free slot, or None."""
        for slot in self.slots:
            if not slot[Field.PID]:
                return slot
        return None

    def used(self) -> list[Slot]:
        """The slots of living workers."""
        return [slot for slot in self.slots if slot[Field.PID]]
