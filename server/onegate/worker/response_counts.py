"""Counts responses for ``--status``, where the access log is written: by status, by duration."""

from __future__ import annotations

from bisect import bisect_left

from onegate.process.scoreboard import DURATIONS, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.logs.access_log import AccessLog
    from onegate.process.scoreboard import Slot

_DURATIONS, _SECONDS = Field.DURATIONS, Field.SECONDS
# Beyond 599 clients take it for a 5xx (RFC 9110, 15).
_OF_STATUS = bytes(Field.STATUSES + min(max(status // 100, 2), 5) - 2 for status in range(1000))


class ResponseCounts:
    """Has the keywords of an access log, and hands on to one, if there is one."""

    def __init__(self, slot: Slot, access: AccessLog | None) -> None:
        self._numbers = slot.numbers
        self._access = access

    def __call__(
        self, environ: dict[str, Any], status: int, fields: str, octets: int, seconds: float
    ) -> None:
        """Count a response; see :class:`onegate.logs.access_log.AccessLog`."""
        if self._access is not None:
            self._access(environ, status, fields, octets, seconds)
        numbers = self._numbers
        if status < 200:
            return  # the client, or the time to stop, left no room for a response
        numbers[_OF_STATUS[status]] += 1
        numbers[_DURATIONS + bisect_left(DURATIONS, seconds)] += 1
        numbers[_SECONDS] += seconds
