"""Reads ``matrix.toml``; :mod:`.schema` declares its keys, and any other key is an error.

The first error is raised as :class:`ConfigError`, with the file and the path of the key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsgi_matrix.config import builtin, installed_servers, server_toml
from wsgi_matrix.config.schema import MatrixFile
from wsgi_matrix.config.server_toml import check_placeholders
from wsgi_matrix.errors import ConfigError, suggestion
from wsgi_matrix.model.axes import Cell, Server
from wsgi_matrix.model.matrix_config import Config, SuiteSettings, Xfail
from wsgi_matrix.suites import former_names, registry
from wsgi_matrix.util.toml_file import TomlFile, dotted

FILE_NAME = "matrix.toml"


def find(start: Path) -> Path:
    """The nearest ``matrix.toml`` in ``start`` or above it. Raises :class:`ConfigError`."""
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
    raise ConfigError(f"no {FILE_NAME} in {start} or its parents; use --config FILE")


def load(file: Path, build: Path | None = None) -> Config:
    """Read ``file``; ``build`` defaults to ``build/`` next to it. Raises :class:`ConfigError`."""
    source = TomlFile(file)
    return from_data(source, source.read(), build)


def from_data(source: TomlFile, data: dict[str, Any], build: Path | None = None) -> Config:
    """Like :func:`load`, from parsed TOML. Raises :class:`ConfigError`."""
    read = source.convert(data, MatrixFile)
    settings = read.run
    servers = {name: _built(source, server) for name, server in read.servers.items()}
    for server in server_toml.read(settings.peers) if settings.peers else ():
        if server.name in servers:
            source.wrong("run.peers", f'a second server "{server.name}" in {server.context}')
        servers[server.name] = server
    ours = built_in(build or source.root / "build") if settings.built_in else None
    config = Config(
        file=source.file,
        settings=settings,
        servers={**(ours.servers if ours else {}), **servers},
        apps=read.apps,
        limits={**(ours.limits if ours else {}), **read.limits},
        pythons={**(ours.pythons if ours else {}), **read.pythons},
        build=(build or source.root / "build").absolute(),
        suites=_suites(source, read.suites),
        xfails=read.xfail,
    )
    for axis in ("servers", "apps", "limits", "pythons"):
        if not getattr(config, axis):
            source.wrong(axis, f"at least one table [{axis}.NAME] is required")
    for app in config.apps.values():
        for name in app.limits:
            if name not in config.limits:
                hint = suggestion(name, config.limits)
                source.wrong(f"apps.{app.name}.limits", f'no "{name}" in the matrix{hint}')
    _check_xfails(source, read.xfail)
    for name in settings.suites:
        if name != "all":
            _known_suite(source, "run.suites", name)
    return config


def built_in(build: Path) -> Config:
    """The built-in servers, limits and Pythons, and servers from other distributions.

    Raises :class:`UserError`.
    """
    found = load(builtin.directory() / FILE_NAME, build)
    ours = {name: builtin.on_all_pythons(each) for name, each in found.servers.items()}
    return replace(found, servers={**ours, **installed_servers.read(ours)})


def _built(source: TomlFile, server: Server) -> Server:
    """Check that a server has an image or a directory to build it in."""
    check_placeholders(source, server)
    if server.context != Path():
        return server
    if not server.image:
        key = dotted(("servers", server.name))
        source.wrong(key, 'the key "context" or "image" is missing')
    return replace(server, context=source.root)


def _suites(source: TomlFile, tables: dict[str, dict[str, Any]]) -> dict[str, SuiteSettings]:
    """Each suite's own options, which the suite declares."""
    known = registry.types()
    for name in tables:
        _known_suite(source, f"suites.{name}", name)
    return {
        name: source.convert(table, known[name].settings, "suites", name)
        for name, table in tables.items()
    }


def _known_suite(source: TomlFile, key: str, name: str) -> None:
    known = registry.types()
    if name not in known:
        unknown = f'unknown suite "{name}"{suggestion(name, known)}'
        source.wrong(key, former_names.refused_suite(name) or unknown)


def _check_xfails(source: TomlFile, xfails: Iterable[Xfail]) -> None:
    """Check that each entry has a known suite, and no former name of a check."""
    for number, made in enumerate(xfails, 1):
        _known_suite(source, f"xfail.{number}.suite", made.suite)
        for check in made.checks:
            if problem := former_names.refused_check(made.suite, check):
                source.wrong(f"xfail.{number}.checks", problem)


def check_directories(config: Config, cells: Iterable[Cell]) -> None:
    """Raise :class:`ConfigError` if a directory that ``cells`` need does not exist."""
    for cell in cells:
        for key, path in (
            (f"apps.{cell.app.name}.path", cell.app.path),
            (f"servers.{cell.server.name}.context", cell.server.context),
        ):
            if not path.is_dir():
                raise ConfigError(f"{config.file}: {key}: no such directory: {path}")
