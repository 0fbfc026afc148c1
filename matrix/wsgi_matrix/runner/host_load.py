"""How busy the machine was while a cell ran: evidence, for a verdict that hangs on time."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from wsgi_matrix.model.results import Load

PRESSURE = Path("/proc/pressure/cpu")
"""Microseconds in which some process was ready to run and had no processor (Linux 4.20, PSI)."""


class Meanwhile:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), _waited()

    def load(self) -> Load:
        """The load since then."""
        seconds, before, now = time.monotonic() - self._began, self._waited, _waited()
        waited = None
        if before is not None and now is not None and seconds > 0:
            waited = round(min(1.0, (now - before) / 1e6 / seconds), 3)
        cores = len(os.sched_getaffinity(0))
        return Load(cores=cores, average=round(os.getloadavg()[0], 2), waited=waited)


def _waited() -> int | None:
    try:
        found = re.search(r"^some .*\btotal=(\d+)", PRESSURE.read_text(encoding="ascii"))
    except OSError:
        return None  # a kernel without it, or one that was told not to
    return int(found[1]) if found else None
