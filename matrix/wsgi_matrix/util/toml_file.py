"""Reading our TOML files: each value by a declared reader, each error with file, key and remedy."""

from __future__ import annotations

import re
import signal
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from wsgi_matrix.errors import ConfigError, suggestion

UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
NAME = re.compile(r"[a-z0-9][a-z0-9_.]*")

Reader = Callable[[Any, Path], Any]
"""Turns a TOML value into ours; raises ValueError with what was expected."""


def text(value: Any, _root: Path) -> str:
    """A string that says something."""
    if not isinstance(value, str) or not value:
        raise ValueError("a non-empty string")
    return value


def maybe_empty(value: Any, _root: Path) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError("a string")
    return value


def texts(value: Any, _root: Path) -> tuple[str, ...]:
    """A list of strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of strings")
    return tuple(value)


def path(value: Any, root: Path) -> Path:
    """A path, made absolute from the file's folder."""
    return (root / text(value, root)).absolute()


def paths(value: Any, root: Path) -> tuple[Path, ...]:
    """A list of paths."""
    return tuple(path(item, root) for item in texts(value, root))


def regex(value: Any, root: Path) -> str:
    """A regular expression."""
    try:
        re.compile(text(value, root))
    except re.error as problem:
        raise ValueError(f"a regular expression ({problem})") from None
    return str(value)


def signal_name(value: Any, root: Path) -> str:
    """The name of a signal, as POSIX writes it."""
    if text(value, root) not in signal.Signals.__members__:
        raise ValueError("the name of a signal such as SIGTERM")
    return str(value)


def seconds(value: Any, _root: Path) -> float:
    """A duration."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError("a number of seconds greater than 0")
    return float(value)


def flag(value: Any, _root: Path) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def number(least: int, most: int) -> Reader:
    """A reader of whole numbers in a range."""

    def read(value: Any, _root: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return read


def statuses(value: Any, _root: Path) -> tuple[int, ...]:
    """Exit statuses of a process."""
    whole = isinstance(value, list) and all(type(each) is int for each in value)
    if not whole or not value or not all(0 <= each <= 255 for each in value):
        raise ValueError("a list of exit statuses such as [0, 143]")
    return tuple(value)


def memory(value: Any, _root: Path) -> int:
    """A size in octets."""
    found = re.fullmatch(r"([1-9][0-9]*)\s*([A-Za-z]*)", value) if isinstance(value, str) else None
    if not found or found[2] not in UNITS:
        raise ValueError('a size such as "128MiB" (B, KiB, MiB, GiB)')
    return int(found[1]) * UNITS[found[2]]


class TomlFile:
    """One file, for whose values errors are told with its name. All raise :class:`ConfigError`."""

    def __init__(self, file: Path, name: str = "") -> None:
        """``name``: what errors call it, where people have not written it as a file."""
        self.file = file.absolute()
        self.name = name or str(self.file)
        self.root = self.file.parent

    def read(self) -> dict[str, Any]:
        """The file's content."""
        try:
            return tomllib.loads(self.file.read_text(encoding="utf-8"))
        except OSError as problem:
            message = f"{self.file}: {problem.strerror}; name another with --config"
            raise ConfigError(message) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise ConfigError(f"{self.file}: not TOML: {problem}") from None

    def wrong(self, key: str, message: str) -> NoReturn:
        """Raise the error about ``key``."""
        raise ConfigError(f"{self.name}: {key}: {message}")

    def known(self, prefix: str, table: dict[str, Any], known: Iterable[str]) -> None:
        """Refuse keys that are not ``known``."""
        for key in table:
            if key not in known:
                self.wrong(prefix + key, "unknown key" + suggestion(key, known))

    def as_table(self, key: str, value: Any) -> dict[str, Any]:
        """``value`` as a table."""
        if not isinstance(value, dict):
            self.wrong(key, "a table is expected")
        return dict(value)

    def table(
        self,
        key: str,
        value: Any,
        readers: dict[str, Reader],
        required: Iterable[str] = (),
    ) -> dict[str, Any]:
        """The values of a table, each by its reader; ``key`` is its own path, empty for all."""
        table = self.as_table(key, value)
        prefix = f"{key}." if key else ""
        self.known(prefix, table, readers)
        values = {}
        for name, raw in table.items():
            try:
                values[name] = readers[name](raw, self.root)
            except ValueError as problem:
                self.wrong(f"{prefix}{name}", f"{problem} is expected, not {raw!r}")
        for need in required:
            if need not in values:
                self.wrong(key or str(self.file.name), f'the key "{need}" is missing')
        return values

    def named(
        self,
        key: str,
        value: Any,
        readers: dict[str, Reader],
        required: Iterable[str] = (),
        *,
        none: bool = False,
    ) -> dict[str, dict[str, Any]]:
        """The tables below ``key`` by their names; there has to be one unless ``none``."""
        tables = self.as_table(key, value)
        if not tables and not none:
            self.wrong(key, f"at least one [{key}.NAME] is needed")
        for name in tables:
            if not NAME.fullmatch(name):
                self.wrong(
                    f"{key}.{name}", "names are of lower-case letters, digits, _ and . (no hyphen)"
                )
        return {
            name: self.table(f"{key}.{name}", table, readers, required)
            for name, table in tables.items()
        }
