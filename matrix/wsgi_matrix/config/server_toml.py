"""Servers that have their own directory, with ``Dockerfile``, ``server.toml`` and other files.

A ``server.toml`` says what the build needs from outside the directory, and has a table for each way
to run the server (``[servers.NAME]``). `docs/adding-a-server.md` explains one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsgi_matrix.config.schema import ServerFile
from wsgi_matrix.errors import suggestion
from wsgi_matrix.model.axes import Server
from wsgi_matrix.util.toml_file import TomlFile, dotted

FILE_NAME = "server.toml"


def read(directory: Path) -> tuple[Server, ...]:
    """The servers of all subdirectories with a ``server.toml``. Raises :class:`ConfigError`."""
    return tuple(
        server
        for file in sorted(directory.glob(f"*/{FILE_NAME}"))
        for server in read_directory(file.parent)
    )


def read_directory(directory: Path) -> list[Server]:
    """The servers of one directory with a ``server.toml``. Raises :class:`ConfigError`."""
    source = TomlFile(directory / FILE_NAME)
    return from_data(source, source.read())


def from_data(source: TomlFile, data: dict[str, Any]) -> list[Server]:
    """The servers of a parsed ``server.toml``. Raises :class:`ConfigError`."""
    source.convert(data, ServerFile)
    build = {key: value for key, value in data.items() if key != "servers"}
    tables = data["servers"]
    if not tables:
        source.wrong("servers", "at least one table [servers.NAME] is required")
    found = []
    for name, table in tables.items():
        merged = {**build, **table, "context": "."}
        found.append(source.convert(merged, Server, "servers", name))
        check_placeholders(source, found[-1])
    return found


def check_placeholders(source: TomlFile, server: Server) -> None:
    """Raise :class:`ConfigError` for an unknown placeholder in a command."""
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
