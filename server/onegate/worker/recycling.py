"""When a worker requests its replacement: by its requests, its age, or its memory."""

from __future__ import annotations

import logging
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings
    from onegate.process.status_pipe import Status

log = logging.getLogger("onegate.error")


class Recycling:
    """Requests a successor from the master, once. The worker serves until that does."""

    def __init__(self, settings: Settings, status: Status, now: float) -> None:
        """``now``: monotonic seconds, from which on the worker's lifetime is counted."""
        self.after = _jittered(settings.max_requests, settings.max_requests_jitter)
        """Requests, ``inf`` where they do not matter."""
        self._at = now + (settings.max_worker_lifetime or float("inf"))
        self._most = settings.max_worker_memory
        self._status = status
        self._asked = False

    def check(self, now: float, resident: int, requests: int) -> None:
        """Has its time come? ``resident``: octets of memory, 0 if that is not known.

        A worker that has not handled any request is not too large: the application is.
        """
        if now >= self._at:
            self.request("it has reached --max-worker-lifetime")
        elif self._most and resident > self._most and requests:
            self.request(f"it uses {resident >> 20} MiB of memory", large=True)

    def request(self, reason: str, *, large: bool = False) -> None:
        """Request a successor, and log why."""
        if not self._asked:
            self._asked = True
            log.info("worker will be replaced: %s", reason)
            self._status.retires(large=large)


def _jittered(requests: int, jitter: int) -> float:
    """So that workers that began together do not end together."""
    if not requests:
        return float("inf")
    return requests + int.from_bytes(os.urandom(4), "big") % (jitter + 1)
