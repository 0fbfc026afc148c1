"""Servers that lie in a folder of their own: ``Dockerfile``, ``server.toml``, and what they need.

A ``server.toml`` says what the build needs that is not in the folder, and in a table for each way
of running it (``[servers.NAME]``) how it is called. `docs/adding-a-server.md` goes through one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsgi_matrix.config.schema import ServerFile
from wsgi_matrix.errors import suggestion
from wsgi_matrix.model.axes import Server
from wsgi_matrix.util.toml_file import TomlFile, dotted

FILE_NAME = "server.toml"


def read(folder: Path) -> tuple[Server, ...]:
    """The servers of all sub-folders with a ``server.toml``. Raises :class:`ConfigError`."""
    return tuple(
        server
        for file in sorted(folder.glob(f"*/{FILE_NAME}"))
        for server in read_directory(file.parent)
    )


def read_directory(directory: Path) -> list[Server]:
    """The servers of one directory with a ``server.toml``. Raises :class:`ConfigError`."""
    source = TomlFile(directory / FILE_NAME)
    return from_data(source, source.read())


def from_data(source: TomlFile, data: dict[str, Any]) -> list[Server]:
    """The servers of a ``server.toml`` that was read already. Raises :class:`ConfigError`."""
    source.convert(data, ServerFile)
    build = {key: value for key, value in data.items() if key != "servers"}
    tables = data["servers"]
    if not tables:
        source.wrong("servers", "at least one [servers.NAME] is needed")
    found = []
    for name, table in tables.items():
        merged = {**build, **table, "context": "."}
        found.append(source.convert(merged, Server, "servers", name))
        check_placeholders(source, found[-1])
    return found


def check_placeholders(source: TomlFile, server: Server) -> None:
    """Refuse words of a command with a placeholder that is never filled in."""
    known = dict.fromkeys(("app", "folder", "port", "workers", "threads", "python", "context"), "")
    if server.requirements:
        known["lib"] = ""
    for key, words in (("args", server.args), ("process", server.process)):
        for word in words:
            try:
                word.format_map(known)
            except (KeyError, ValueError, IndexError) as problem:
                hint = suggestion(str(problem.args[0]), known)
                message = f"{word!r}: unknown placeholder{hint}"
                source.wrong(dotted(("servers", server.name, key)), message)
