"""Types of the values in our TOML files, with what they say in a file and for people.

A dataclass declares each key once: ``nofile: Annotated[Octets | None, doc("…")] = None``. From that
come the reader (:mod:`.toml_file`), its errors, and the JSON Schema for editors
(:mod:`.json_schema`), all of them by msgspec.
"""

from __future__ import annotations

import enum
import re
import shlex
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta

T = TypeVar("T")

UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True)
class Form:
    """What a file has for a value that is of another type in the model, or freer there."""

    type: Any
    make: Callable[[Any, Path], Any]
    """Makes the model's value of the file's, given the file's directory.

    Raises ``ValueError`` with what was expected.
    """


def doc(description: str, *, was: str | Mapping[str, str] = "") -> Meta:
    """What a key means, for editors.

    ``was``: its name in older versions, or such names with what to do about each: that is told to
    whoever still writes one.
    """
    renamed = {was: ""} if isinstance(was, str) else dict(was)
    return Meta(description=description, extra={"was": {k: v for k, v in renamed.items() if k}})


def expect(expected: str, **constraints: Any) -> Meta:
    """Constraints, as :class:`msgspec.Meta` has them, and what they amount to in words."""
    return Meta(extra={"expected": expected}, **constraints)


def stated(**keywords: Any) -> Meta:
    """Keywords that the JSON Schema of what we write has, for others.

    Our own reader takes what older versions wrote: it holds it to the types alone.
    """
    return Meta(extra_json_schema=keywords)


def written_as(kind: Any, make: Callable[[Any, Path], Any] = lambda value, _: value) -> Meta:
    """Says that a file has a ``kind`` here; see :class:`Form`."""
    return Meta(extra={"form": Form(kind, make)})


def whole(expression: str) -> str:
    """A pattern for all of a string. In Python, ``$`` is also before a line feed at its end."""
    return rf"^(?:{expression})$(?!\n)"


def between(least: int, most: int) -> Meta:
    """Says that a file has a whole number from ``least`` to ``most`` here."""
    return written_as(Annotated[int, Meta(ge=least, le=most)])


def _octets(text: str, _directory: Path) -> int:
    number, unit = re.fullmatch(r"([0-9]+)\s*([A-Za-z]*)", text).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def _regex(text: str, _directory: Path) -> str:
    try:
        re.compile(text)
    except re.error as problem:
        raise ValueError(f"a regular expression ({problem})") from None
    return text


def _command(text: str, _directory: Path) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as problem:
        raise ValueError(f"a command ({problem})") from None


def _path(text: str, directory: Path) -> Path:
    return (directory / text).absolute()


def _file(text: str, directory: Path) -> Path:
    path = _path(text, directory)
    if not path.is_file():
        raise ValueError(f"a file ({path} is none)")
    return path


def pairs(table: Mapping[str, T], _directory: Path) -> tuple[tuple[str, T], ...]:
    """The items of a table: the model's values can be hashed."""
    return tuple(table.items())


def values(table: Mapping[str, T], _directory: Path) -> tuple[T, ...]:
    """The tables of a table of tables; each has its name."""
    return tuple(table.values())


_NonEmpty = Annotated[str, Meta(min_length=1)]

TableName = Annotated[str, Meta(extra={"name": True})]
"""No key of a table but its own name: ``default`` of ``[limits.default]``."""
Name = Annotated[
    str,
    expect("lower-case letters, digits, _ and . (no hyphen)", pattern=whole("[a-z0-9][a-z0-9_.]*")),
]
"""What people call a table; a part of the id of a cell, whose parts have hyphens between them."""
Text = Annotated[str, written_as(_NonEmpty)]
"""A string that says something. The model has an empty one where a key is left out."""
GlibcVersion = Annotated[
    str,
    written_as(
        Annotated[
            str,
            expect(
                'a version of glibc such as "2.35"',
                pattern=whole(r"2\.[1-9][0-9]"),
                examples=["2.35"],
            ),
        ]
    ),
]
"""As PEP 600 has it in the tags of wheels."""
FilePath = Annotated[Path, written_as(_NonEmpty, _path)]
"""Absolute in the model; in a file, relative to its directory."""
ExistingFile = Annotated[Path, written_as(_NonEmpty, _file)]
Octets = Annotated[
    int,
    written_as(
        Annotated[
            str,
            expect(
                'a size such as "128MiB" (B, KiB, MiB, GiB)',
                pattern=whole(rf"[1-9][0-9]*\s*({'|'.join(UNITS)})"),
                examples=["128MiB"],
            ),
        ],
        _octets,
    ),
]
Seconds = Annotated[
    float, written_as(Annotated[float, expect("a number of seconds greater than 0", gt=0)])
]
Regex = Annotated[
    str, written_as(Annotated[_NonEmpty, Meta(extra_json_schema={"format": "regex"})], _regex)
]
"""As :mod:`re` has it."""
_Signal = enum.StrEnum("Signal", {each: each for each in sorted(signal.Signals.__members__)})  # type: ignore[misc]
_Signal.__doc__ = "A signal of POSIX or Linux."
SignalName = Annotated[
    str,
    written_as(
        Annotated[_Signal, expect("the name of a signal such as SIGTERM")],
        lambda name, _: name.value,
    ),
]
"""As POSIX writes it. The model has an empty one where there is none."""
ExitStatus = Annotated[int, between(0, 255)]
Port = Annotated[int, between(1, 65535)]
Command = Annotated[tuple[str, ...], written_as(_NonEmpty, _command)]
"""Split as a shell splits words; no shell runs it."""
Variable = Annotated[
    str, expect("letters, digits and _, no digit first", pattern=whole("[A-Za-z_][A-Za-z0-9_]*"))
]
"""The name of an environment variable."""
Environment = Annotated[tuple[tuple[str, str], ...], written_as(dict[Variable, str], pairs)]
"""Environment variables."""
