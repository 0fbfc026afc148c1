"""Reads ``matrix.toml``. Every key is declared once, below; anything else there is an error.

The first thing that is wrong raises :class:`ConfigError`, with the file and the path of the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsgi_matrix.errors import ConfigError, suggestion
from wsgi_matrix.model import App, Cell, Limits, Python, Server

FILE_NAME = "matrix.toml"
UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
NAME = re.compile(r"[a-z0-9][a-z0-9_.]*")
SMALLEST_NOFILE = 16
"""Below that the container runtime itself fails, before the server runs."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The table ``[run]``. ``deadline``: seconds for a cell; ``grace``: for stopping it."""

    repeat: int = 2
    deadline: float = 60.0
    grace: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Config:
    """All of ``matrix.toml``, paths made absolute."""

    file: Path
    settings: Settings
    servers: dict[str, Server]
    apps: dict[str, App]
    limits: dict[str, Limits]
    pythons: dict[str, Python]
    build: Path
    """Where all that is made goes: caches, and results in ``matrix/``."""


Reader = Callable[[Any, Path], Any]
"""Turns a TOML value into ours; raises ValueError with what was expected."""


def _text(value: Any, _root: Path) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a non-empty string")
    return value


def _maybe_empty(value: Any, _root: Path) -> str:
    if not isinstance(value, str):
        raise ValueError("a string")
    return value


def _texts(value: Any, root: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of strings")
    return tuple(value)


def _path(value: Any, root: Path) -> Path:
    return (root / _text(value, root)).absolute()


def _paths(value: Any, root: Path) -> tuple[Path, ...]:
    return tuple(_path(item, root) for item in _texts(value, root))


def _seconds(value: Any, _root: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError("a number of seconds greater than 0")
    return float(value)


def _number(least: int, most: int) -> Reader:
    def read(value: Any, _root: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return read


def _memory(value: Any, _root: Path) -> int:
    found = re.fullmatch(r"([1-9][0-9]*)\s*([A-Za-z]*)", value) if isinstance(value, str) else None
    if not found or found[2] not in UNITS:
        raise ValueError('a size such as "128MiB" (B, KiB, MiB, GiB)')
    return int(found[1]) * UNITS[found[2]]


RUN: dict[str, Reader] = {"repeat": _number(1, 1000), "deadline": _seconds, "grace": _seconds}
SERVER: dict[str, Reader] = {
    "context": _path,
    "dockerfile": _text,
    "args": _texts,
    "process": _texts,
    "process_path": _paths,
    "workers": _number(1, 1000),
    "stop_signal": _text,
}
APP: dict[str, Reader] = {
    "path": _path,
    "target": _text,
    "framework": _maybe_empty,
    "requirements": _text,
}
LIMITS: dict[str, Reader] = {
    "nofile": _number(SMALLEST_NOFILE, 2**30),
    "nproc": _number(1, 2**22),
    "memory": _memory,
    "clients": _number(1, 20000),
}
PYTHON: dict[str, Reader] = {"images": _texts, "suite": _text}
REQUIRED = {"servers": ("context", "args"), "apps": ("path",)}
TABLES = ("run", "servers", "apps", "limits", "pythons")


def find(start: Path) -> Path:
    """The nearest ``matrix.toml`` in ``start`` or above it. Raises :class:`ConfigError`."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ConfigError(f"no {FILE_NAME} in {start} or above; name one with --config")


def load(file: Path, build: Path | None = None) -> Config:
    """Read ``file``; ``build`` is by default ``build/`` beside it. Raises :class:`ConfigError`."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError(f"{file}: {problem.strerror}; name another with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{file}: not TOML: {problem}") from None
    return _File(file.absolute()).config(data, build)


class _File:
    """Knows the file's name, for the errors."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.root = file.parent

    def config(self, data: dict[str, Any], build: Path | None) -> Config:
        self._known("", data, TABLES)
        config = Config(
            file=self.file,
            settings=Settings(**self._table("run", self._dict("run", data.get("run", {})), RUN)),
            servers=self._named("servers", data, SERVER, Server, "name"),
            apps=self._named("apps", data, APP, App, "name"),
            limits=self._named("limits", data, LIMITS, Limits, "name"),
            pythons=self._named("pythons", data, PYTHON, Python, "version"),
            build=(build or self.root / "build").absolute(),
        )
        for version in config.pythons:
            if not re.fullmatch(r"3\.[0-9]{1,2}", version):
                self._wrong(
                    f'pythons."{version}"', 'a version such as "3.11" is expected as its name'
                )
        for server in config.servers.values():
            self._placeholders(server)
        return config

    def _wrong(self, key: str, message: str) -> None:
        raise ConfigError(f"{self.file}: {key}: {message}")

    def _dict(self, key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(key, "a table is expected")
        return dict(value)

    def _known(self, prefix: str, table: dict[str, Any], known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                self._wrong(prefix + key, "unknown key" + suggestion(key, known))

    def _table(self, key: str, table: dict[str, Any], readers: dict[str, Reader]) -> dict[str, Any]:
        self._known(key + ".", table, readers)
        values = {}
        for name, value in table.items():
            try:
                values[name] = readers[name](value, self.root)
            except ValueError as problem:
                self._wrong(f"{key}.{name}", f"{problem} is expected, not {value!r}")
        return values

    def _named(
        self,
        key: str,
        data: dict[str, Any],
        readers: dict[str, Reader],
        make: Callable[..., Any],
        name_field: str,
    ) -> dict[str, Any]:
        found = {}
        tables = self._dict(key, data.get(key, {}))
        if not tables:
            self._wrong(key, f"at least one [{key}.NAME] is needed")
        for name, value in tables.items():
            path = f"{key}.{name}"
            if not NAME.fullmatch(name):
                self._wrong(path, "names are of lower-case letters, digits, _ and . (no hyphen)")
            table = self._dict(path, value)
            values = self._table(path, table, readers)
            for need in REQUIRED.get(key, ()):
                if need not in values:
                    self._wrong(path, f'the key "{need}" is missing')
            found[name] = make(**{name_field: name}, **values)
        return found

    def _placeholders(self, server: Server) -> None:
        known = {"app": "", "folder": "", "port": "", "workers": "", "python": ""}
        for key, words in (("args", server.args), ("process", server.process)):
            for word in words:
                try:
                    word.format_map(known)
                except (KeyError, ValueError, IndexError) as problem:
                    name = str(problem.args[0])
                    self._wrong(
                        f"servers.{server.name}.{key}",
                        f"{word!r}: unknown placeholder{suggestion(name, known)}",
                    )


def check_folders(config: Config, cells: Iterable[Cell]) -> None:
    """Raise :class:`ConfigError` if a folder that ``cells`` need is not there."""
    for cell in cells:
        for key, path in (
            (f"apps.{cell.app.name}.path", cell.app.path),
            (f"servers.{cell.server.name}.context", cell.server.context),
        ):
            if not path.is_dir():
                raise ConfigError(f"{config.file}: {key}: no such folder: {path}")
