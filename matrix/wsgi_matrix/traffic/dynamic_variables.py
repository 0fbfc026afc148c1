"""Dynamic variables of .http files: ``{{$guid}}``, ``{{$timestamp -1 d}}``, ``{{$random.email}}``.

Those of VS Code's REST Client and JetBrains' HTTP client. A value is generated once, when the file
is read, so that every cell gets the same; the next run generates others. All times in a run are of
the same moment.
"""

from __future__ import annotations

import calendar
import random
import re
import string
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

OFFSET = r"(?:\s+(?P<count>-?\d+)\s+(?P<unit>y|Q|M|w|d|h|m|s|ms))?"
TIMESTAMP = re.compile(r"\$timestamp" + OFFSET)
DATETIME = re.compile(
    r"\$(?P<local>localDatetime|datetime)\s+"
    r"(?P<form>rfc1123|iso8601|'[^']+'|\"[^\"]+\")" + OFFSET
)
RANDOM_INT = re.compile(r"\$randomInt(?:\s+(-?\d+)\s+(-?\d+))?")
RANDOM = re.compile(
    r"\$random\.(integer|float|alphabetic|alphanumeric|numeric|hexadecimal|email|uuid)"
    r"(?:\(\s*(?:(-?[\d.]+)\s*(?:,\s*(-?[\d.]+)\s*)?)?\))?"
)
DAYJS = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|SSS|ZZ|Z|A|a"
)
SPANS = {
    "w": "weeks",
    "d": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
}
MONTHS = {"M": 1, "Q": 3, "y": 12}
BELOW = 1000
"""JetBrains' exclusive upper limit of a random number without a range."""
NAMES = (
    *("$guid", "$uuid", "$timestamp", "$isoTimestamp", "$datetime", "$localDatetime"),
    *("$randomInt", "$random.integer", "$random.float", "$random.alphabetic"),
    *("$random.alphanumeric", "$random.numeric", "$random.hexadecimal", "$random.email"),
    "$random.uuid",
)


class Dynamic:
    """Generates values, and remembers them. ``now``: the time of all values of a run."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.made: dict[str, None] = {}
        """All generated values, in order."""
        self._random = random.SystemRandom()

    def value(self, name: str) -> str | None:
        """A new value for ``name``, or ``None`` if there is no such variable.

        Raises ``ValueError`` for unknown arguments.
        """
        kind = re.split(r"[\s(]", name, maxsplit=1)[0]
        if kind not in NAMES:
            return None
        made = self._value(name)
        if made is None:
            raise ValueError(f"{{{{{name}}}}}: unknown form of {kind}")
        self.made[made] = None
        return made

    def _value(self, name: str) -> str | None:
        if name in ("$guid", "$uuid", "$random.uuid"):
            return str(uuid.uuid4())
        if name == "$isoTimestamp":
            return _iso(self.now)
        if found := TIMESTAMP.fullmatch(name):
            return str(int(_moved(self.now, found).timestamp()))
        if found := DATETIME.fullmatch(name):
            at = _moved(self.now, found)
            return _formatted(
                at.astimezone() if found["local"] == "localDatetime" else at, found["form"]
            )
        if found := RANDOM_INT.fullmatch(name):
            return self._integer(int(found[1] or 0), int(found[2] or BELOW))
        if found := RANDOM.fullmatch(name):
            return self._drawn(found[1], found[2], found[3])
        return None

    def _integer(self, least: int, below: int) -> str | None:
        return str(self._random.randrange(least, below)) if least < below else None

    def _drawn(self, kind: str, first: str | None, second: str | None) -> str | None:
        alphabets: dict[str, str] = {
            "alphabetic": string.ascii_letters,
            "alphanumeric": string.ascii_letters + string.digits + "_",
            "numeric": string.digits,
            "hexadecimal": "0123456789abcdef",
        }
        if kind in alphabets:
            length = int(first) if first and first.isdigit() else 10 if first is None else 0
            return self._text(alphabets[kind], length) if 0 < length <= 65536 else None
        match kind:
            case "email":
                return f"{self._text(string.ascii_lowercase, 10)}@example.com"
            case "uuid":
                return str(uuid.uuid4())
            case "integer":
                return self._integer(int(float(first or 0)), int(float(second or BELOW)))
            case _:
                least, below = float(first or 0), float(second or BELOW)
                return str(self._random.uniform(least, below)) if least < below else None

    def _text(self, alphabet: str, length: int) -> str:
        return "".join(self._random.choice(alphabet) for _ in range(length))


def _moved(at: datetime, found: re.Match[str]) -> datetime:
    """``at``, moved by the offset; a day that the new month does not have becomes its last."""
    if not found["unit"]:
        return at
    count, unit = int(found["count"]), found["unit"]
    try:
        if unit in MONTHS:
            month = at.year * 12 + at.month - 1 + count * MONTHS[unit]
            year, month = divmod(month, 12)
            day = min(at.day, calendar.monthrange(year, month + 1)[1])
            return at.replace(year=year, month=month + 1, day=day)
        return at + timedelta(**{SPANS[unit]: count})
    except (ValueError, OverflowError):
        raise ValueError(f"{{{{{found[0]}}}}}: the time is out of range") from None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _formatted(at: datetime, form: str) -> str:
    if form == "rfc1123":
        # RFC 9110 section 5.6.7 in GMT, else with the offset, as in REST Client.
        return format_datetime(at, usegmt=at.tzinfo is UTC)
    if form == "iso8601":
        return _iso(at) if at.tzinfo is UTC else at.isoformat(timespec="seconds")
    return DAYJS.sub(lambda token: _token(at, token), form[1:-1])


def _token(at: datetime, found: re.Match[str]) -> str:
    """One token of Day.js' formats, in English."""
    if found[1] is not None:
        return found[1]
    offset = at.strftime("%z") or "+0000"
    sunday = (at.weekday() + 1) % 7
    hour = at.hour % 12 or 12
    tokens: dict[str, Callable[[], str]] = {
        "YYYY": lambda: f"{at.year:04}",
        "YY": lambda: f"{at.year % 100:02}",
        "MMMM": lambda: calendar.month_name[at.month],
        "MMM": lambda: calendar.month_abbr[at.month],
        "MM": lambda: f"{at.month:02}",
        "M": lambda: str(at.month),
        "DD": lambda: f"{at.day:02}",
        "D": lambda: str(at.day),
        "dddd": lambda: calendar.day_name[at.weekday()],
        "ddd": lambda: calendar.day_abbr[at.weekday()],
        "dd": lambda: calendar.day_abbr[at.weekday()][:2],
        "d": lambda: str(sunday),
        "HH": lambda: f"{at.hour:02}",
        "H": lambda: str(at.hour),
        "hh": lambda: f"{hour:02}",
        "h": lambda: str(hour),
        "mm": lambda: f"{at.minute:02}",
        "m": lambda: str(at.minute),
        "ss": lambda: f"{at.second:02}",
        "s": lambda: str(at.second),
        "SSS": lambda: f"{at.microsecond // 1000:03}",
        "ZZ": lambda: offset,
        "Z": lambda: f"{offset[:3]}:{offset[3:]}",
        "A": lambda: "AM" if at.hour < 12 else "PM",
        "a": lambda: "am" if at.hour < 12 else "pm",
    }
    return tokens[found[0]]()
