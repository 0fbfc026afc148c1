"""The pipe through which a child reports to its master: the child's end.

+    it does its work now
-    it wants to be replaced
m    the same, because it is too large
=N;  the pid of the process that does the work, where it was not forked by the master itself: of a
     new master (:mod:`onegate.master.upgrade`), of a worker (:mod:`onegate.master.zygote`)
!N;  there is no such process, because of the error N of errno(3)
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

    def has_pid(self, pid: int) -> None:
        """It is process ``pid`` that does the work. Raises ``BrokenPipeError`` if the master does
        not wait for that any more."""
        write(self._descriptor, b"=%d;" % pid)

    def cannot_fork(self, code: int) -> None:
        """There is no process to do the work, because of the error ``code``."""
        self._say(b"!%d;" % code)

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
