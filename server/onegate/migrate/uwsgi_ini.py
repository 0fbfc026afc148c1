"""The ini files of uWSGI, which are not those of configparser.

Keys repeat and keep their order; a key alone is true; ``%(key)`` and ``$(NAME)`` stand for an
earlier value and for a variable of the environment, ``%d`` and the like for parts of the file's
path. Conditions and loops (``if-env = …``, ``for = …``) are not supported, but reported.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from onegate.settings_error import SettingsError

_PLACE = re.compile(r"%\(([^()]+)\)|\$\(([^()]+)\)|%([a-zA-Z%])")
LOGIC = re.compile(r"(if|else|end|for|endfor|endif)(-.*)?")


def read(path: Path) -> tuple[list[tuple[str, str]], set[str]]:
    """The section ``[uwsgi]`` of ``path``: names with values, and which names others refer to.

    Raises :class:`SettingsError` if it cannot be read or has no such section.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--from-uwsgi {path}: {error}") from None
    items: list[tuple[str, str]] = []
    known: dict[str, str] = {}
    used: set[str] = set()
    inside = found = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == "[uwsgi]"
            found = found or inside
        elif inside and line and line[0] not in "#;":
            key, equals, value = line.partition("=")
            name = key.strip()
            used.update(match[1] for match in _PLACE.finditer(value) if match[1] in known)
            known[name] = _filled(value.strip(), known, path) if equals else "true"
            items.append((name, known[name]))
    if not found:
        raise SettingsError(f"--from-uwsgi {path}: no [uwsgi] section")
    return items, used


def _filled(value: str, known: dict[str, str], path: Path) -> str:
    whole = path.absolute()
    parts = {
        "d": f"{whole.parent}/",
        "p": str(whole),
        "s": whole.name,
        "n": whole.stem,
        "e": whole.suffix.removeprefix("."),
        "c": whole.parent.name,
        "%": "%",
    }

    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return known.get(match[1], match[0])
        if match[2]:
            return os.environ.get(match[2], "")
        return parts.get(match[3], match[0])

    # In a log format %(…) is an atom of its own.
    return _PLACE.sub(fill, value)
