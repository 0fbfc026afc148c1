"""How busy the host was while a cell ran: evidence for verdicts that depend on time."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from wsgi_matrix.model.results import Load

PRESSURE = Path("/proc/pressure/cpu")
"""Microseconds in which some process was ready to run but had no processor (Linux 4.20, PSI)."""


class Meanwhile:
    """Measures the load from its creation on."""

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), _waited()

    def load(self) -> Load:
        """The load since the creation."""
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
        return None  # a kernel without PSI, or with PSI disabled
    return int(found[1]) if found else None
