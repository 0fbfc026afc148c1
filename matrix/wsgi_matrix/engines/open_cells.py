"""The cells of an engine that are open now, so that an interrupt can end them all."""

from __future__ import annotations

import threading
from typing import Protocol


class Killable(Protocol):
    """As much of a cell as is needed to end it."""

    def kill(self) -> None:
        """End it, from any thread."""


class OpenCells:
    """Usable from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: set[Killable] = set()

    def add(self, cell: Killable) -> None:
        """``cell`` is open from now on."""
        with self._lock:
            self._cells.add(cell)

    def discard(self, cell: Killable) -> bool:
        """``cell`` is open no more. Tells whether none is now."""
        with self._lock:
            self._cells.discard(cell)
            return not self._cells

    def kill(self) -> None:
        """Kill every one of them; whoever opened it closes it."""
        with self._lock:
            cells = list(self._cells)
        for each in cells:
            each.kill()
