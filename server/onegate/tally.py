"""Counts responses for ``--status``, where the access log is written: by status, by duration."""

from __future__ import annotations

from bisect import bisect_left

from onegate.scoreboard import DURATIONS, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.access import AccessLog
    from onegate.scoreboard import Slot

_STATUSES, _DURATIONS, _SECONDS = Field.STATUSES - 2, Field.DURATIONS, Field.SECONDS


class Tally:
    """Has the keywords of an access log, and hands on to one, if there is one."""

    def __init__(self, slot: Slot, access: AccessLog | None) -> None:
        self._numbers = slot.numbers
        self._access = access

    def __call__(
        self, environ: dict[str, Any], status: int, fields: str, octets: int, seconds: float
    ) -> None:
        """Count a response; see :class:`onegate.access.AccessLog`."""
        if self._access is not None:
            self._access(environ, status, fields, octets, seconds)
        numbers = self._numbers
        if status < 200:
            return  # the client, or the time to stop, left no room for a response
        # Beyond 599 clients take it for a 5xx (RFC 9110, 15).
        numbers[_STATUSES + min(status // 100, 5)] += 1
        numbers[_DURATIONS + bisect_left(DURATIONS, seconds)] += 1
        numbers[_SECONDS] += seconds
