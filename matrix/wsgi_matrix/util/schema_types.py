"""Types of the values in wsgi-matrix's TOML files: their form in a file, and words for errors.

A dataclass declares each key once: ``nofile: Annotated[Octets | None, doc("…")] = None``. The
reader (:mod:`.toml_file`), its errors and the JSON Schema for editors (:mod:`.json_schema`) are all
derived from that by msgspec.
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
    """The form of a value in a file, where its type or constraints differ from the model's."""

    type: Any
    make: Callable[[Any, Path], Any]
    """Converts the file's value to the model's, given the file's directory.

    Raises ``ValueError`` with what was expected.
    """


def doc(description: str, *, was: str | Mapping[str, str] = "") -> Meta:
    """The description of a key, for editors.

    ``was``: its name in older versions, or several such names, each with what to do instead; an
    error for an old name says so.
    """
    renamed = {was: ""} if isinstance(was, str) else dict(was)
    return Meta(description=description, extra={"was": {k: v for k, v in renamed.items() if k}})


def expect(expected: str, **constraints: Any) -> Meta:
    """Constraints, as in :class:`msgspec.Meta`, and the same in words."""
    return Meta(extra={"expected": expected}, **constraints)


def stated(**keywords: Any) -> Meta:
    """Keywords for the JSON Schema of files that wsgi-matrix writes.

    Its own reader only checks types, so that it accepts files of older versions.
    """
    return Meta(extra_json_schema=keywords)


def written_as(kind: Any, make: Callable[[Any, Path], Any] = lambda value, _: value) -> Meta:
    """Declares that the value is a ``kind`` in a file; see :class:`Form`."""
    return Meta(extra={"form": Form(kind, make)})


def whole(expression: str) -> str:
    """A pattern for a whole string. In Python, ``$`` also matches before a final line feed."""
    return rf"^(?:{expression})$(?!\n)"


def between(least: int, most: int) -> Meta:
    """Declares that the value is a whole number from ``least`` to ``most`` in a file."""
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
        raise ValueError(f"an existing file ({path} is not one)")
    return path


def pairs(table: Mapping[str, T], _directory: Path) -> tuple[tuple[str, T], ...]:
    """The items of a table, as a hashable value."""
    return tuple(table.items())


def values(table: Mapping[str, T], _directory: Path) -> tuple[T, ...]:
    """The tables in a table of tables; each has its own name."""
    return tuple(table.values())


_NonEmpty = Annotated[str, Meta(min_length=1)]

TableName = Annotated[str, Meta(extra={"name": True})]
"""The name of a table, which is not one of its keys: ``default`` of ``[limits.default]``."""
Name = Annotated[
    str,
    expect("lower-case letters, digits, _ and . (no hyphen)", pattern=whole("[a-z0-9][a-z0-9_.]*")),
]
"""The name of a table; part of the ids of cells, whose parts are separated by hyphens."""
Text = Annotated[str, written_as(_NonEmpty)]
"""A non-empty string in a file. In the model, empty if the key is missing."""
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
"""As in the tags of wheels (PEP 600)."""
FilePath = Annotated[Path, written_as(_NonEmpty, _path)]
"""Absolute in the model; in a file, relative to the file's directory."""
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
"""In the syntax of :mod:`re`."""
_Signal = enum.StrEnum("Signal", {each: each for each in sorted(signal.Signals.__members__)})  # type: ignore[misc]
_Signal.__doc__ = "A POSIX or Linux signal."
SignalName = Annotated[
    str,
    written_as(
        Annotated[_Signal, expect("the name of a signal such as SIGTERM")],
        lambda name, _: name.value,
    ),
]
"""A POSIX name such as SIGTERM. In the model, empty if there is none."""
ExitStatus = Annotated[int, between(0, 255)]
Port = Annotated[int, between(1, 65535)]
Command = Annotated[tuple[str, ...], written_as(_NonEmpty, _command)]
"""Split into words as a shell does; not run by a shell."""
Variable = Annotated[
    str, expect("letters, digits and _, no digit first", pattern=whole("[A-Za-z_][A-Za-z0-9_]*"))
]
"""The name of an environment variable."""
Environment = Annotated[tuple[tuple[str, str], ...], written_as(dict[Variable, str], pairs)]
"""Environment variables."""
