"""The open cells of an engine, so that an interrupt can kill them all."""

from __future__ import annotations

import threading
from typing import Protocol


class Killable(Protocol):
    """A cell as far as needed to kill it."""

    def kill(self) -> None:
        """Kill it, from any thread."""


class OpenCells:
    """A set of open cells; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: set[Killable] = set()

    def add(self, cell: Killable) -> None:
        """Add a ``cell`` that is open from now on."""
        with self._lock:
            self._cells.add(cell)

    def discard(self, cell: Killable) -> bool:
        """Remove a closed ``cell``. Returns whether none is open any more."""
        with self._lock:
            self._cells.discard(cell)
            return not self._cells

    def kill(self) -> None:
        """Kill all of them; the code that opened them closes them."""
        with self._lock:
            cells = list(self._cells)
        for each in cells:
            each.kill()
