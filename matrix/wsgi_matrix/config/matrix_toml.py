"""Reads ``matrix.toml``. Every key is declared once, below; anything else there is an error.

The first thing that is wrong raises :class:`ConfigError`, with the file and the path of the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsgi_matrix.config import app_environment, builtin, installed_servers
from wsgi_matrix.config import servers as peers
from wsgi_matrix.errors import ConfigError, suggestion
from wsgi_matrix.model import target
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.settings import Config, Settings, SuiteSettings, Xfail
from wsgi_matrix.probe.agent.response_reader import LARGEST
from wsgi_matrix.suites import former_names, registry
from wsgi_matrix.util import toml_file as toml
from wsgi_matrix.util.toml_file import Reader, TomlFile

FILE_NAME = "matrix.toml"
SMALLEST_NOFILE = 16
"""Below that the container runtime itself fails, before the server runs."""


def _largest(value: Any, root: Path) -> int:
    """A size that answers are read up to."""
    size = toml.memory(value, root)
    if size > LARGEST:
        raise ValueError(f"a size of at most {LARGEST >> 20}MiB")
    return size


RUN: dict[str, Reader] = {
    "repeat": toml.number(1, 1000),
    "deadline": toml.seconds,
    "grace": toml.seconds,
    "suites": toml.texts,
    "shipped": toml.flag,
    "peers": toml.path,
    "cells": toml.texts,
}
APP: dict[str, Reader] = {
    "path": toml.path,
    "target": target.read,
    "framework": toml.maybe_empty,
    "requirements": toml.text,
    "resolve": toml.flag,
    "sdists": toml.flag,
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
    "send": toml.texts,
    "ignore": toml.texts,
    "capture": toml.texts,
    "header": toml.texts,
    "var": toml.texts,
    "http_env": toml.text,
    "allow_status": toml.texts,
    "workers": toml.number(1, 1000),
    "host": toml.text,
    "largest": _largest,
    "patience": toml.seconds,
}
XFAIL: dict[str, Reader] = {
    "suite": toml.text,
    "cells": toml.texts,
    "checks": toml.texts,
    "reason": toml.text,
    "says": toml.regex,
    "sometimes": toml.flag,
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
    return from_data(source, source.read(), build)


def from_data(source: TomlFile, data: dict[str, Any], build: Path | None = None) -> Config:
    """The same of what was read already. Raises :class:`ConfigError`."""
    source.known("", data, TABLES)
    settings = Settings(**source.table("run", data.get("run", {}), RUN))
    servers = {
        name: Server(name=name, **_with_context(source, name, values))
        for name, values in source.named(
            "servers",
            data.get("servers", {}),
            peers.SERVER,
            ("args",),
            none=settings.peers is not None or settings.shipped,
        ).items()
    }
    for server in servers.values():
        peers.check_placeholders(source, server)
    for server in peers.read(settings.peers) if settings.peers else ():
        if server.name in servers:
            source.wrong("run.peers", f'a second server "{server.name}" in {server.context}')
        servers[server.name] = server
    ours = built_in(build or source.root / "build") if settings.shipped else None
    limits = _made(source, data, "limits", LIMITS, Limits, "name", none=settings.shipped)
    pythons = _made(source, data, "pythons", PYTHON, Python, "version", none=settings.shipped)
    config = Config(
        file=source.file,
        settings=settings,
        servers={**(ours.servers if ours else {}), **servers},
        apps=_apps(source, data),
        limits={**(ours.limits if ours else {}), **limits},
        pythons={**(ours.pythons if ours else {}), **pythons},
        build=(build or source.root / "build").absolute(),
        suites=_suites(source, data),
        xfails=_xfails(source, data),
    )
    for version in config.pythons:
        if not re.fullmatch(r"3\.[0-9]{1,2}", version):
            source.wrong(f'pythons."{version}"', 'a version such as "3.11" is expected as its name')
    for name in settings.suites:
        if name != "all":
            _known_suite(source, "run.suites", name)
    return config


def built_in(build: Path) -> Config:
    """The servers, limits and Pythons that come with wsgi-matrix, and other installed servers.

    Raises :class:`UserError`.
    """
    found = load(builtin.directory() / FILE_NAME, build)
    ours = {name: builtin.on_all_pythons(each) for name, each in found.servers.items()}
    return replace(found, servers={**ours, **installed_servers.read(ours)})


def _with_context(source: TomlFile, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """A server is built in a folder, unless its image is there already."""
    if "context" not in values and not values.get("image"):
        source.wrong(f"servers.{name}", 'the key "context" is missing, or "image"')
    return {"context": source.root, **values}


def _made(
    source: TomlFile,
    data: dict[str, Any],
    key: str,
    readers: dict[str, Reader],
    make: Any,
    name_field: str,
    required: Iterable[str] = (),
    *,
    none: bool = False,
) -> dict[str, Any]:
    tables = source.named(key, data.get(key, {}), readers, required, none=none)
    return {name: make(**{name_field: name}, **values) for name, values in tables.items()}


def _apps(source: TomlFile, data: dict[str, Any]) -> dict[str, App]:
    tables = source.as_table("apps", data.get("apps", {}))
    around = {}
    for name, table in tables.items():
        tables[name] = source.as_table(f"apps.{name}", table)
        around[name] = app_environment.read(source, f"apps.{name}", tables[name])
    found = source.named("apps", tables, APP, ("path",))
    return {
        name: App(name=name, surroundings=around[name], **values) for name, values in found.items()
    }


def _suites(source: TomlFile, data: dict[str, Any]) -> dict[str, SuiteSettings]:
    tables = source.as_table("suites", data.get("suites", {}))
    for name in tables:
        _known_suite(source, f"suites.{name}", name)
    return {
        name: SuiteSettings(**source.table(f"suites.{name}", table, SUITE))
        for name, table in tables.items()
    }


def _known_suite(source: TomlFile, key: str, name: str) -> None:
    known = registry.types()
    if name not in known:
        unknown = f'unknown suite "{name}"{suggestion(name, known)}'
        source.wrong(key, former_names.refused_suite(name) or unknown)


def _xfails(source: TomlFile, data: dict[str, Any]) -> tuple[Xfail, ...]:
    entries = data.get("xfail", [])
    if not isinstance(entries, list):
        source.wrong("xfail", "a list of tables [[xfail]] is expected")
    required = ("suite", "cells", "checks", "reason")
    found = tuple(
        Xfail(**source.table(f"xfail.{number}", entry, XFAIL, required))
        for number, entry in enumerate(entries, 1)
    )
    for number, made in enumerate(found, 1):
        _known_suite(source, f"xfail.{number}.suite", made.suite)
        for check in made.checks:
            if problem := former_names.refused_check(made.suite, check):
                source.wrong(f"xfail.{number}.checks", problem)
    return found


def check_folders(config: Config, cells: Iterable[Cell]) -> None:
    """Raise :class:`ConfigError` if a folder that ``cells`` need is not there."""
    for cell in cells:
        for key, path in (
            (f"apps.{cell.app.name}.path", cell.app.path),
            (f"servers.{cell.server.name}.context", cell.server.context),
        ):
            if not path.is_dir():
                raise ConfigError(f"{config.file}: {key}: no such folder: {path}")
