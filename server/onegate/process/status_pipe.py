"""The pipe through which a child reports to its master: the child's end.

+    it serves now
-    it asks to be replaced
m    the same, because it uses too much memory
=N;  the pid of a new master (:mod:`onegate.master.upgrade`)
"""

from __future__ import annotations

import contextlib
from os import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Status(Protocol):
        """Where a worker reports its status."""

        def serves(self) -> None:
            """It serves now."""

        def retires(self, *, large: bool) -> None:
            """It asks to be replaced, because it is too ``large`` or for another reason."""


class StatusPipe:
    """A worker's end of the pipe to its master."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def serves(self) -> None:
        """This process serves now."""
        self._say(b"+")

    def retires(self, *, large: bool) -> None:
        """This process asks to be replaced, because it is too ``large`` or for another reason; it
        serves until it is terminated."""
        self._say(b"m" if large else b"-")

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, BlockingIOError):
            write(self._descriptor, word)
