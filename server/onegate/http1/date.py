"""Dates as text, made once for each second (RFC 9110, 5.6.7 and 6.6.1)."""

from __future__ import annotations

import time
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    T = TypeVar("T")
else:
    Generic, T = {None: object}, None  # a parameter for type checkers alone


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not those of the locale."""


class PerSecond(Generic[T]):
    """What ``make`` makes of a second, made anew when another second is requested."""

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make
        # One value, for all threads share it: a second must not be seen before what is made of it.
        self._known = 0, make(0)

    def at(self, second: int) -> T:
        """What is made of ``second``, of Unix time."""
        known, made = self._known
        if known != second:
            made = self._make(second)
            self._known = second, made
        return made


def imf_fixdate(second: int) -> str:
    """IMF-fixdate of RFC 9110, 5.6.7."""
    year, month, day, hour, minute, sec, weekday, _, _ = time.gmtime(second)
    return (
        f"{_DAYS[weekday]}, {day:02} {MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{sec:02} GMT"
    )


def date_line(second: int) -> bytes:
    """The Date field line of a response."""
    return f"Date: {imf_fixdate(second)}\r\n".encode()
