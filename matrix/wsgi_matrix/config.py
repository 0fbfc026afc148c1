"""Reads ``matrix.toml``. Every key is declared once, below; anything else there is an error.

The first thing that is wrong raises :class:`ConfigError`, with the file and the path of the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsgi_matrix import peers, suites
from wsgi_matrix import toml_file as toml
from wsgi_matrix.errors import ConfigError, suggestion
from wsgi_matrix.model import App, Cell, Limits, Python, Server
from wsgi_matrix.toml_file import Reader, TomlFile
from wsgi_matrix.xfails import Xfail

FILE_NAME = "matrix.toml"
SMALLEST_NOFILE = 16
"""Below that the container runtime itself fails, before the server runs."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The table ``[run]``. ``deadline``: seconds for a cell; ``grace``: for stopping it."""

    repeat: int = 2
    deadline: float = 60.0
    grace: float = 10.0
    suites: tuple[str, ...] = (suites.HELLO,)
    """What is run when nobody says which."""
    peers: Path | None = None
    """Folder whose sub-folders with a ``server.toml`` are servers too."""
    cells: tuple[str, ...] = ()
    """Globs on the ids of cells: the matrix is made of these only. Empty: of all."""


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """A table ``[suites.NAME]``: what of each axis runs when nobody says which; empty: all."""

    servers: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    contract: Path | None = None
    """File with the exchanges of the suite ``contract``."""
    reference_app: str = ""
    reference_server: str = ""
    """Whom answers are compared with, over the apps and over the servers."""


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
    suites: dict[str, SuiteSettings] = field(default_factory=dict)
    xfails: tuple[Xfail, ...] = ()


RUN: dict[str, Reader] = {
    "repeat": toml.number(1, 1000),
    "deadline": toml.seconds,
    "grace": toml.seconds,
    "suites": toml.texts,
    "peers": toml.path,
    "cells": toml.texts,
}
APP: dict[str, Reader] = {
    "path": toml.path,
    "target": toml.text,
    "framework": toml.maybe_empty,
    "requirements": toml.text,
}
LIMITS: dict[str, Reader] = {
    "nofile": toml.number(SMALLEST_NOFILE, 2**30),
    "nproc": toml.number(1, 2**22),
    "memory": toml.memory,
    "clients": toml.number(1, 20000),
    "rounds": toml.number(1, 1000),
}
PYTHON: dict[str, Reader] = {"images": toml.texts, "suite": toml.text}
SUITE: dict[str, Reader] = {
    "servers": toml.texts,
    "apps": toml.texts,
    "limits": toml.texts,
    "pythons": toml.texts,
    "contract": toml.path,
    "reference_app": toml.text,
    "reference_server": toml.text,
}
XFAIL: dict[str, Reader] = {
    "suite": toml.text,
    "cells": toml.texts,
    "checks": toml.texts,
    "reason": toml.text,
    "says": toml.regex,
}
TABLES = ("run", "servers", "apps", "limits", "pythons", "suites", "xfail")


def find(start: Path) -> Path:
    """The nearest ``matrix.toml`` in ``start`` or above it. Raises :class:`ConfigError`."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ConfigError(f"no {FILE_NAME} in {start} or above; name one with --config")


def load(file: Path, build: Path | None = None) -> Config:
    """Read ``file``; ``build`` is by default ``build/`` beside it. Raises :class:`ConfigError`."""
    source = TomlFile(file)
    data = source.read()
    source.known("", data, TABLES)
    settings = Settings(**source.table("run", data.get("run", {}), RUN))
    servers = {
        name: Server(name=name, **values)
        for name, values in source.named(
            "servers",
            data.get("servers", {}),
            peers.SERVER,
            ("context", "args"),
            none=settings.peers is not None,
        ).items()
    }
    for server in servers.values():
        peers.check_placeholders(source, server)
    for server in peers.read(settings.peers) if settings.peers else ():
        if server.name in servers:
            source.wrong("run.peers", f'a second server "{server.name}" in {server.context}')
        servers[server.name] = server
    config = Config(
        file=source.file,
        settings=settings,
        servers=servers,
        apps=_made(source, data, "apps", APP, App, "name", ("path",)),
        limits=_made(source, data, "limits", LIMITS, Limits, "name"),
        pythons=_made(source, data, "pythons", PYTHON, Python, "version"),
        build=(build or source.root / "build").absolute(),
        suites=_suites(source, data),
        xfails=_xfails(source, data),
    )
    for version in config.pythons:
        if not re.fullmatch(r"3\.[0-9]{1,2}", version):
            source.wrong(f'pythons."{version}"', 'a version such as "3.11" is expected as its name')
    for name in settings.suites:
        if name not in (*suites.NAMES, "all"):
            source.wrong("run.suites", f'unknown suite "{name}"{suggestion(name, suites.NAMES)}')
    return config


def _made(
    source: TomlFile,
    data: dict[str, Any],
    key: str,
    readers: dict[str, Reader],
    make: Any,
    name_field: str,
    required: Iterable[str] = (),
) -> dict[str, Any]:
    tables = source.named(key, data.get(key, {}), readers, required)
    return {name: make(**{name_field: name}, **values) for name, values in tables.items()}


def _suites(source: TomlFile, data: dict[str, Any]) -> dict[str, SuiteSettings]:
    tables = source.as_table("suites", data.get("suites", {}))
    source.known("suites.", tables, suites.NAMES)
    return {
        name: SuiteSettings(**source.table(f"suites.{name}", table, SUITE))
        for name, table in tables.items()
    }


def _xfails(source: TomlFile, data: dict[str, Any]) -> tuple[Xfail, ...]:
    entries = data.get("xfail", [])
    if not isinstance(entries, list):
        source.wrong("xfail", "a list of tables [[xfail]] is expected")
    required = ("suite", "cells", "checks", "reason")
    return tuple(
        Xfail(**source.table(f"xfail.{number}", entry, XFAIL, required))
        for number, entry in enumerate(entries, 1)
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
