"""Servers from other distributions, which are available wherever the built-in servers are.

A distribution provides a directory with a ``server.toml`` as an entry point in the group
``wsgi_matrix.servers``: a package that is the directory, a path, or a function that returns one;
docs/extending.md shows one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

from wsgi_matrix.config import server_toml
from wsgi_matrix.errors import ConfigError, UserError
from wsgi_matrix.model.axes import Server
from wsgi_matrix.util.entry_points import installed, load, origin, title

GROUP = "wsgi_matrix.servers"


def read(built_in: Iterable[str]) -> dict[str, Server]:
    """All of them by name; ``built_in``: names that are already taken.

    Raises :class:`~wsgi_matrix.errors.UserError`, which names the distribution, for one that cannot
    be read, or whose name is taken.
    """
    found: dict[str, Server] = {}
    origins = dict.fromkeys(built_in, "wsgi-matrix")
    for entry in installed(GROUP):
        try:
            there = server_toml.read_directory(_directory(entry))
        except ConfigError as problem:
            raise UserError(f"{title(entry)}: {problem}") from None
        for server in there:
            if other := origins.get(server.name):
                raise UserError(f'{title(entry)}: {other} also has a server "{server.name}"')
            found[server.name], origins[server.name] = server, origin(entry)
    return found


def _directory(entry: EntryPoint) -> Path:
    """The directory that ``entry`` refers to."""
    place: Any = load(entry)
    if isinstance(place, ModuleType):
        # The package itself, which is a directory unless it is imported from an archive.
        place = next(iter(getattr(place, "__path__", ())), None)
    elif callable(place):
        try:
            place = place()
        except Exception as problem:  # whatever another distribution's code raises
            raise UserError(f"{title(entry)}: {type(problem).__name__}: {problem}") from problem
    if not isinstance(place, str | os.PathLike) or not Path(place, server_toml.FILE_NAME).is_file():
        raise UserError(
            f"{title(entry)}: not a directory with a {server_toml.FILE_NAME}: {place!r}"
        )
    return Path(place).absolute()
