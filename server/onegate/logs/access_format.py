"""The values in a line of the access log, as text that cannot break it."""

from __future__ import annotations

import binascii
import re
import time
from collections.abc import Callable

from onegate.http1.date import MONTHS, PerSecond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


Environ = dict[str, "Any"]
Clean = Callable[[object], str]

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


def escape(value: object) -> str:
    """``value`` as printable ASCII without quotes and backslashes of its own."""
    text = value if type(value) is str else str(value)
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters of ``text``, and dots for the others."""
    return text if len(text) <= length else text[:length] + "..."


def cleaner(length: int | None) -> Clean:
    """:func:`escape`, of at most ``length`` characters if that is given."""
    if length is None:
        return escape
    return lambda value: escape(shorten(str(value), length))


def user(environ: Environ) -> str:
    """The user's name in Basic credentials (RFC 7617); "-" without them. Not authenticated!"""
    scheme, _, credentials = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() != "basic":
        return "-"
    try:
        pair = binascii.a2b_base64(credentials.strip(), strict_mode=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return "-"
    return pair.partition(":")[0] or "-"


def _timestamps(second: int) -> tuple[str, str]:
    local = time.localtime(second)
    minutes = local.tm_gmtoff // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    common = (
        f"[{local.tm_mday:02d}/{MONTHS[local.tm_mon - 1]}/{local.tm_year}"
        f":{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d} {zone}]"
    )
    return common, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


timestamps = PerSecond(_timestamps)
"""A second of Unix time in the common log format, and as RFC 3339 has it up to its seconds."""


def iso_time(now: float) -> str:
    """Unix time in the format of RFC 3339, in UTC, with microseconds."""
    second = int(now)
    return f"{timestamps.at(second)[1]}.{int((now - second) * 1e6):06d}Z"
