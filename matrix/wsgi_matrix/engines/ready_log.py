"""Waits for a server to write that it is ready, for all engines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from wsgi_matrix.errors import CellError

PAUSE = 0.02
"""Seconds between two reads of the log."""


class ReadyLog:
    """The ready pattern of a cell's server (``ready_log``), looked for until it was found once.

    Engines read only the end of a long log, where it may no longer be by the next probe.
    """

    def __init__(self, pattern: str) -> None:
        """``pattern``: a regular expression; empty if there is nothing to wait for."""
        self._pattern = pattern
        self._found = not pattern

    def wait(
        self, seconds: float, log: Callable[[], str], raise_if_exited: Callable[[], None]
    ) -> None:
        """Return once ``log`` matches. Raises :class:`CellError` after ``seconds``, or whatever
        ``raise_if_exited`` raises for a server that has exited before.
        """
        until = time.monotonic() + seconds
        while not self._found:
            if re.search(self._pattern, log()):
                self._found = True
                return
            raise_if_exited()
            if time.monotonic() > until:
                raise CellError(
                    f"its log did not match {self._pattern!r} within {seconds:g} s", log()
                )
            time.sleep(PAUSE)
