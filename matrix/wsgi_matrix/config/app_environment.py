"""Reads what an app needs around it, from a table ``[apps.NAME]``.

Each reader raises ``ValueError`` with what was expected.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsgi_matrix.model.app_environment import Beside, Ready, Surroundings
from wsgi_matrix.util import toml_file as toml
from wsgi_matrix.util.toml_file import Reader, TomlFile

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def environment(value: Any, _root: Path) -> tuple[tuple[str, str], ...]:
    """A table of variables."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("a table of strings")
    for name in value:
        if not VARIABLE.fullmatch(name):
            raise ValueError(f"a variable's name (letters, digits and _) in place of {name!r}")
    return tuple(value.items())


def secrets(value: Any, root: Path) -> tuple[tuple[str, Path], ...]:
    """A table of files."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("a table of file names")
    found = []
    for name, file in value.items():
        path = (root / file).absolute()
        if not FILE.fullmatch(name):
            raise ValueError(f"a name of letters, digits, _ . - in place of {name!r}")
        if not path.is_file():
            raise ValueError(f"a file for the secret {name} ({path} is none)")
        found.append((name, path))
    return tuple(found)


def commands(value: Any, root: Path) -> tuple[tuple[str, ...], ...]:
    """A list of commands, split as a shell splits words; no shell runs them."""
    return tuple(command(each, root) for each in toml.texts(value, root))


def command(value: Any, root: Path) -> tuple[str, ...]:
    """A command."""
    try:
        return tuple(shlex.split(toml.text(value, root)))
    except ValueError as problem:
        raise ValueError(f"a command ({problem})") from None


def folder(value: Any, root: Path) -> str:
    """An absolute path in the cell."""
    text = toml.text(value, root)
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", text) or ".." in text.split("/"):
        raise ValueError('an absolute path such as "/data" (letters, digits, _ . -)')
    if text == "/srv" or text.startswith(("/srv/", "/proc", "/sys", "/dev")):
        raise ValueError("a path that is neither /srv, where the app is, nor the kernel's")
    return text


def ready(value: Any, root: Path) -> Ready:
    """``"/health=200"``."""
    path, _, status = toml.text(value, root).partition("=")
    if not re.fullmatch(r"/[\x21-\x7e]*", path) or not re.fullmatch(r"|[1-5][0-9]{2}", status):
        raise ValueError('a path and a status such as "/health=200"')
    return Ready(path=path, status=int(status or 200))


READERS: dict[str, Reader] = {
    "environment": environment,
    "secrets": secrets,
    "setup": commands,
    "writable": folder,
    "ready": ready,
}
_BESIDE: dict[str, Reader] = {
    "image": toml.text,
    "environment": environment,
    "command": toml.texts,
    "port": toml.number(1, 65535),
}


def read(source: TomlFile, key: str, table: dict[str, Any]) -> Surroundings:
    """The surroundings in a table ``[apps.NAME]``, whose keys of that kind are taken out of it.

    Raises :class:`~wsgi_matrix.errors.ConfigError`.
    """
    beside = source.as_table(f"{key}.beside", table.pop("beside", {}))
    own = {name: table.pop(name) for name in READERS if name in table}
    values = source.table(key, own, READERS)
    made = []
    for name, each in beside.items():
        if not HOST.fullmatch(name):
            source.wrong(f"{key}.beside.{name}", "a host's name is expected: a-z, 0-9 and -")
        made.append(
            Beside(name=name, **source.table(f"{key}.beside.{name}", each, _BESIDE, ("image",)))
        )
    return Surroundings(**values, beside=tuple(made))
