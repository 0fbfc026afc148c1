"""Types of values: how one is read from text, taken from TOML, and written as TOML again.

A kind rejects a value with ``ValueError`` and no text; the caller knows where the value stands, and
says with :attr:`Kind.expects` what was expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Kind:
    """Text: the simplest kind, and what the others have in common."""

    expects = "a string"
    metavar = "TEXT"
    repeat = False
    """Whether the option may be given more than once, each time with one item."""

    def __init__(self, metavar: str | None = None) -> None:
        if metavar is not None:
            self.metavar = metavar

    def parse(self, text: str) -> Any:
        """The value that ``text`` stands for, as on the command line."""
        if "\0" in text:
            raise ValueError
        return text

    def parse_variable(self, text: str) -> Any:
        """The same for a whole environment variable."""
        return self.parse(text)

    def from_toml(self, value: object) -> Any:
        """The value that ``value``, as TOML gave it, stands for."""
        if not isinstance(value, str):
            raise ValueError
        return self.parse(value)

    def to_toml(self, value: Any) -> str | None:
        """``value`` in TOML; None if it stands for nothing that TOML can say."""
        return quote(value)


class Integer(Kind):
    """Integer numbers of at least ``minimum``."""

    metavar = "N"

    def __init__(self, minimum: int) -> None:
        super().__init__()
        self._minimum = minimum
        self.expects = f"an integer of at least {minimum}"

    def parse(self, text: str) -> int:
        """Decimal digits."""
        if not re.fullmatch("[0-9]{1,18}", text):
            raise ValueError
        return self.from_toml(int(text))

    def from_toml(self, value: object) -> int:
        """An integer."""
        if isinstance(value, bool) or not isinstance(value, int) or value < self._minimum:
            raise ValueError
        return value

    def to_toml(self, value: Any) -> str:
        """The digits."""
        return str(value)


class Seconds(Kind):
    """A time in seconds, positive; with ``zero`` also 0, which has a meaning of its own."""

    metavar = "S"

    def __init__(self, *, zero: bool = False) -> None:
        super().__init__()
        self._zero = zero
        self.expects = "a number of seconds, 0 or more" if zero else "a positive number of seconds"

    def parse(self, text: str) -> float:
        """A decimal number."""
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
            raise ValueError
        return self.from_toml(float(text))

    def from_toml(self, value: object) -> float:
        """An integer or a float."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if not math.isfinite(value) or not 0 <= value < 1e9 or (value == 0 and not self._zero):
            raise ValueError
        return float(value)

    def to_toml(self, value: Any) -> str:
        """Without a fraction that says nothing."""
        return f"{value:.6f}".rstrip("0").rstrip(".")


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Size(Kind):
    """Octets: a number, or text with k, M or G for powers of 1024. ``zero``: it may be 0."""

    expects = "a size such as 65536, 64k or 1G"
    metavar = "SIZE"

    def __init__(self, *, zero: bool = True) -> None:
        super().__init__()
        self.zero = zero
        if not zero:
            self.expects = "a size greater than 0, such as 65536, 64k or 1G"

    def parse(self, text: str) -> int:
        """Digits and an optional unit."""
        match = re.fullmatch("([0-9]{1,15})([kmg]?)", text, re.IGNORECASE | re.ASCII)
        if match is None:
            raise ValueError
        return self._checked(int(match[1]) * _UNITS[match[2].lower()])

    def from_toml(self, value: object) -> int:
        """Such text, or an integer."""
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError
        return self._checked(value)

    def _checked(self, value: int) -> int:
        if not value and not self.zero:
            raise ValueError
        return value

    def to_toml(self, value: Any) -> str:
        """With the largest unit that leaves no rest."""
        for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("k", 1 << 10)):
            if value and value % factor == 0:
                return f'"{value // factor}{unit}"'
        return str(value)


class Mode(Kind):
    """Permission bits in octal, or nothing: they stay what they are."""

    expects = "octal permission bits such as 027"
    metavar = "MODE"

    def parse(self, text: str) -> int:
        """Octal digits, with or without 0o in front."""
        match = re.fullmatch("(?:0o)?([0-7]{1,4})", text)
        if match is None:
            raise ValueError
        return int(match[1], 8)

    def from_toml(self, value: object) -> int:
        """Such text. A number of TOML could be a decimal one by mistake, so none is taken."""
        if not isinstance(value, str):
            raise ValueError
        return self.parse(value)

    def to_toml(self, value: Any) -> str | None:
        """As text."""
        return None if value is None else f'"{value:03o}"'


class Flag(Kind):
    """On or off."""

    expects = "true or false"
    metavar = ""
    _WORDS = {  # noqa: RUF012 - never changed
        "1": True, "true": True, "yes": True, "on": True,
        "0": False, "false": False, "no": False, "off": False,
    }  # fmt: skip

    def parse(self, text: str) -> bool:
        """1, true, yes, on; 0, false, no, off."""
        try:
            return self._WORDS[text.lower()]
        except KeyError:
            raise ValueError from None

    def from_toml(self, value: object) -> bool:
        """A boolean."""
        if not isinstance(value, bool):
            raise ValueError
        return value

    def to_toml(self, value: Any) -> str:
        """TOML's words."""
        return "true" if value else "false"


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        super().__init__("{" + ",".join(words) + "}")
        self._words = words
        self.expects = "one of " + ", ".join(words)

    def parse(self, text: str) -> str:
        """One of the words, in any case."""
        if text.lower() not in self._words:
            raise ValueError
        return text.lower()


class UrlPath(Kind):
    """The path of a URL, or nothing."""

    expects = "a path that begins with / and contains neither ? nor #"
    metavar = "PATH"

    def parse(self, text: str) -> str:
        """Percent-encoded or not."""
        if (text and text[0] != "/") or not {"?", "#", "\0"}.isdisjoint(text):
            raise ValueError
        return text


class FieldValue(Kind):
    """What a field of a response may say, or nothing."""

    expects = "printable latin-1 characters"

    def parse(self, text: str) -> str:
        """Without spaces around it, which are no part of a value (RFC 9110, 5.5)."""
        if re.fullmatch("[\t\x20-\x7e\x80-\xff]*", text) is None:
            raise ValueError
        return text.strip(" \t")


class Strings(Kind):
    """Some texts: an option that may be repeated, an array in TOML."""

    expects = "an array of strings"
    repeat = True

    def parse_variable(self, text: str) -> tuple[str, ...]:
        """Items with spaces between them, quoted as in a shell."""
        return tuple(self.parse(item) for item in _split(text))

    def from_toml(self, value: object) -> tuple[str, ...]:
        """An array of texts; one text alone will do."""
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError
        return tuple(self.parse(item) for item in value)

    def to_toml(self, value: Any) -> str:
        """An array."""
        return "[" + ", ".join(map(quote, value)) + "]"


class Pairs(Kind):
    """Names with values: ``NAME=VALUE``, which may be repeated, a table in TOML."""

    expects = 'NAME=VALUE, or in a file a table such as { NAME = "VALUE" }'
    metavar = "NAME=VALUE"
    repeat = True

    def parse(self, text: str) -> tuple[str, str]:
        """One pair."""
        name, equals, value = text.partition("=")
        if not name or not equals or "\0" in text:
            raise ValueError
        return name, value

    def parse_variable(self, text: str) -> tuple[tuple[str, str], ...]:
        """Pairs with spaces between them, quoted as in a shell."""
        return tuple(self.parse(item) for item in _split(text))

    def from_toml(self, value: object) -> tuple[tuple[str, str], ...]:
        """A table of texts."""
        if not isinstance(value, dict):
            raise ValueError
        for name, text in value.items():
            if not name or "=" in name or not isinstance(text, str) or "\0" in name + text:
                raise ValueError
        return tuple(value.items())

    def to_toml(self, value: Any) -> str:
        """An inline table."""
        return table(value)


def _split(text: str) -> list[str]:
    import shlex  # noqa: PLC0415 - only for such a variable in the environment

    return shlex.split(text)


def quote(text: str) -> str:
    """``text`` as a basic string of TOML, in which JSON's escapes are valid."""
    import json  # noqa: PLC0415 - only to show a configuration

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def table(pairs: Iterable[tuple[str, str]]) -> str:
    """``pairs`` as an inline table of TOML."""
    inside = ", ".join(f"{quote(name)} = {quote(value)}" for name, value in pairs)
    return f"{{ {inside} }}" if inside else "{}"
