"""Servers that lie in a folder of their own: ``Dockerfile``, ``server.toml``, and what they need.

A ``server.toml`` says what the build needs that is not in the folder, and in a table for each way
of running it (``[servers.NAME]``) how it is called. `docs/adding-a-server.md` goes through one.
"""

from __future__ import annotations

from pathlib import Path

from wsgi_matrix.errors import suggestion
from wsgi_matrix.model.axes import Server
from wsgi_matrix.util import toml_file as toml
from wsgi_matrix.util.toml_file import Reader, TomlFile

FILE_NAME = "server.toml"

_CALL: dict[str, Reader] = {
    "args": toml.texts,
    "workers": toml.number(1, 1000),
    "threads": toml.number(1, 1000),
    "stop_signal": toml.signal_name,
    "stop_status": toml.statuses,
    "reload_signal": toml.signal_name,
    "ready": toml.regex,
    "process": toml.texts,
}
_BUILD: dict[str, Reader] = {
    "product": toml.text,
    "version": toml.text,
    "pythons": toml.texts,
    "requirements": toml.text,
    "sources": toml.text,
    "packages": toml.texts,
    "builder": toml.texts,
    "stop_signal": toml.signal_name,
    "stop_status": toml.statuses,
    "reload_signal": toml.signal_name,
    "ready": toml.regex,
    "process": toml.texts,
}

SERVER: dict[str, Reader] = {
    **_CALL,
    **_BUILD,
    "context": toml.path,
    "dockerfile": toml.text,
    "image": toml.text,
    "process_path": toml.paths,
}
"""A table ``[servers.NAME]`` of ``matrix.toml``, where a server lies anywhere."""


def read(folder: Path) -> tuple[Server, ...]:
    """The servers of all sub-folders with a ``server.toml``. Raises :class:`ConfigError`."""
    return tuple(
        server
        for file in sorted(folder.glob(f"*/{FILE_NAME}"))
        for server in read_directory(file.parent)
    )


def read_directory(folder: Path) -> list[Server]:
    """The servers of one folder with a ``server.toml``. Raises :class:`ConfigError`."""
    source = TomlFile(folder / FILE_NAME)
    data = source.read()
    calls = source.named("servers", data.pop("servers", {}), _CALL, ("args",))
    build = source.table("", data, _BUILD, ("product", "version"))
    found = [
        Server(name=name, context=source.root, **{**build, **call}) for name, call in calls.items()
    ]
    for server in found:
        check_placeholders(source, server)
    return found


def check_placeholders(source: TomlFile, server: Server) -> None:
    """Refuse words of a command with a placeholder that is never filled in."""
    known = dict.fromkeys(("app", "folder", "port", "workers", "threads", "python", "context"), "")
    for key, words in (("args", server.args), ("process", server.process)):
        for word in words:
            try:
                word.format_map(known)
            except (KeyError, ValueError, IndexError) as problem:
                name = str(problem.args[0])
                source.wrong(
                    f"servers.{server.name}.{key}",
                    f"{word!r}: unknown placeholder{suggestion(name, known)}",
                )
