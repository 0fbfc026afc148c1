"""What ``{{…}}`` stands for in traffic: variables of options, environments, files and moments.

The first that has the name gives the value: ``--var``; what is captured from an answer; the
environment of ``http-client.env.json`` (JetBrains, Visual Studio); the file's own ``@name = …``;
the environment of REST Client's settings; an earlier answer (``{{name.response.body.$.id}}``); and
what starts with ``$``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wsgi_matrix.errors import UserError, suggestion
from wsgi_matrix.model.http_session import Capture
from wsgi_matrix.probe.agent import jsonpath
from wsgi_matrix.traffic.dynamic_variables import Dynamic
from wsgi_matrix.util import env_file

PLACE = re.compile(r"\{\{\s*(.+?)\s*\}\}")
RESPONSE = re.compile(r"([\w-]+)\.response\.(body|headers)\.(.+)")
OF_PROCESS = re.compile(r"\$(?:processEnv\s+|env\.)(%?)([\w.-]+)")
OF_DOTENV = re.compile(r"\$dotenv[\s.]\s*(%?)([\w.-]+)")
ENVIRONMENT_FILES = (
    "http-client.private.env.json",
    "http-client.env.json",
    "http-client.env.json.user",
)
"""The later wins over the earlier."""
SETTINGS = ".vscode/settings.json"
SETTINGS_KEY = "rest-client.environmentVariables"
SHARED = "$shared"
COMPONENT = "!~*'()"
"""What ``encodeURIComponent`` leaves as it is, beside letters and digits (ECMA-262)."""
DEEPEST = 20


@dataclass(frozen=True, kw_only=True)
class Given:
    """What options say of variables, and the values of this run."""

    var: Mapping[str, str] = field(default_factory=dict)
    http_env: str = ""
    captured: frozenset[str] = frozenset()
    """Names that the caller captures from any answer."""
    dynamic: Dynamic = field(default_factory=Dynamic)


class Variables:
    """The variables of one file of traffic in ``folder``, or of what stands in options."""

    def __init__(self, folder: Path, given: Given, *, has_own: bool = True) -> None:
        """``has_own``: whether the file may say ``@name = …`` itself."""
        self.folder = folder
        self.given = given
        self.has_own = has_own
        self.own: dict[str, str] = {}
        """Of the file itself, not filled in yet."""
        self.captured: set[str] = set(given.captured)
        self.requests: set[str] = set()
        """Names of requests, for ``{{name.response…}}``."""
        self.wanted: dict[str, list[Capture]] = {}
        """By the name of the request: what later ones want of its answer."""
        self.hints: dict[str, str] = {}
        """What to say of a name that has no value."""
        self._settled: dict[str, str] = {}
        self._shaping = False
        self._environment, self._settings = environments(folder, given.http_env)

    def of_environment(self, name: str) -> str | None:
        """The value of ``name`` that an option or the chosen environment gives."""
        return self.given.var.get(name) or _member(self._environment, name)

    def fill(self, text: str, depth: int = 0) -> str:
        """``text`` with all values; what is captured at run time stays a place.

        Raises ``ValueError`` for a name that has no value.
        """
        if depth > DEEPEST:
            raise ValueError(f"variables that stand for each other in {text!r}")
        return PLACE.sub(lambda place: self._value(place[1], depth), text)

    def shape(self, text: str) -> str:
        """``text`` with all values but those that are made: the same in each run."""
        settled, self._settled, self._shaping = self._settled, {}, True
        try:
            return self.fill(text)
        finally:
            self._settled, self._shaping = settled, False

    def _value(self, name: str, depth: int) -> str:
        if name in self.given.var:
            return self.given.var[name]  # as it was given: {{ in it is text
        if name.startswith("%"):
            return quote(self._value(name[1:].strip(), depth), safe=COMPONENT)
        if name in self.captured:
            return "{{" + name + "}}"
        for table in (self._environment, self.own, self._settings):
            if (found := _member(table, name)) is not None:
                return self._settle(name, found, depth)
        if name.startswith(SHARED + " "):
            found = _member(self._settings, name.removeprefix(SHARED).strip())
            if found is not None:
                return self._settle(name, found, depth)
        made = self._of_answer(name) or self._of_surroundings(name, depth)
        if made is None and self._shaping:
            return name.strip("$").replace(" ", "-")
        if made is None:
            made = self.given.dynamic.value(name)
        if made is None:
            raise ValueError(self._missing(name))
        return made

    def _settle(self, name: str, value: str, depth: int) -> str:
        """Filled in once: a dynamic value that has a name is the same wherever it is used."""
        if name not in self._settled:
            self._settled[name] = self.fill(value, depth + 1)
        return self._settled[name]

    def _of_answer(self, name: str) -> str | None:
        response = RESPONSE.fullmatch(name)
        if not response:
            return None
        if response[1] not in self.requests:
            there = suggestion(response[1], self.requests)
            said = f"{{{{{name}}}}}: no request is called {response[1]}{there}"
            raise ValueError(f"{said}; # @name {response[1]} above one calls it so")
        kind, where = ("json" if response[2] == "body" else "header"), response[3]
        if kind == "json" and where == "*":
            kind, where = "regex", r"(?s)\A(.*)\Z"
        elif kind == "json" and where.startswith("/"):
            raise ValueError(f"{{{{{name}}}}}: XPath is not read; # @capture takes a regex")
        elif kind == "json":
            where = where if where.startswith("$") else f"$.{where}"
            jsonpath.parse(where)
        called = re.sub(r"[^\w-]+", ".", f"{response[1]}.{response[3].lstrip('$.')}").strip(".")
        same = Capture(name=called, kind=kind, where=where)
        mine = self.wanted.setdefault(response[1], [])
        if same not in mine:
            mine.append(same)
        return "{{" + same.name + "}}"

    def _of_surroundings(self, name: str, depth: int) -> str | None:
        """A variable of our own environment, or of the nearest ``.env``."""
        if found := OF_PROCESS.fullmatch(name):
            key = self._value(found[2], depth) if found[1] else found[2]
            if key not in os.environ:
                raise ValueError(f"{{{{{name}}}}}: {key} is not set; set it, or --var '{name}=…'")
            return os.environ[key]
        if found := OF_DOTENV.fullmatch(name):
            key = self._value(found[2], depth) if found[1] else found[2]
            files = [f".env.{self.given.http_env}"] if self.given.http_env else []
            file = _above(self.folder, [*files, ".env"])
            if file is None:
                raise ValueError(f"{{{{{name}}}}}: there is no .env in {self.folder} or above")
            values = _dotenv(file)
            if key not in values:
                raise ValueError(f"{{{{{name}}}}}: {file} has no {key}{suggestion(key, values)}")
            return values[key]
        return None

    def _missing(self, name: str) -> str:
        """What to do about a name that nothing has."""
        said = f"no variable {{{{{name}}}}}: "
        if name.startswith("$"):
            said += f"say what it is to be: --var '{name}=…'"
        elif self.has_own:
            said += f"say @{name} = … at the top of the file, or --var {name}=…"
        else:
            said += f"say --var {name}=… (%7B%7B is two braces)"
        if hint := self.hints.get(name):
            return f"{said}; {hint}"
        if there := having(self.folder, name):
            return f"{said}; or take an environment that has it: --http-env {' or '.join(there)}"
        known = {*self.own, *self.captured, *self.requests, *self.given.var, *self._environment}
        near = suggestion(name, known | set(self._settings))
        return said + (near if "did you mean" in near else "")


def parse(given: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` of ``--var``. Raises :class:`UserError`."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise UserError(f"--var {each}: NAME=VALUE is expected, such as host=localhost:8000")
        found[name.strip()] = value
    return found


def environments(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The environment ``name`` of the nearest environment files, and of REST Client's settings.

    Each with what is shared by all, and with nothing of its own where there is no such one.
    Raises :class:`UserError` for a file that cannot be read.
    """
    files, settings = _files(folder), _settings(folder)
    merged: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for tables, into in ((files, merged[0]), ([settings], merged[1])):
        for key in (SHARED, name):
            for table in tables:
                into.update(_table(table.get(key)))
    return merged


def check_environment(name: str, folders: Iterable[Path]) -> None:
    """Raise :class:`UserError` for an environment that is near none of ``folders``."""
    tables = [table for folder in folders for table in [*_files(folder), _settings(folder)]]
    names = {key for table in tables for key in table if key != SHARED}
    if name and name not in names:
        files = "http-client.env.json or .vscode/settings.json beside the traffic or above"
        raise UserError(f'--http-env: there is no "{name}" in {files}{suggestion(name, names)}')


def having(folder: Path, variable: str) -> list[str]:
    """The environments near ``folder`` that have ``variable``."""
    tables = [*_files(folder), _settings(folder)]
    return list(
        dict.fromkeys(
            name
            for table in tables
            for name, values in table.items()
            if name != SHARED and _member(_table(values), variable) is not None
        )
    )


def _files(folder: Path) -> list[dict[str, Any]]:
    nearest = _above(folder, ENVIRONMENT_FILES)
    if nearest is None:
        return []
    files = [nearest.parent / name for name in ENVIRONMENT_FILES]
    return [_table(_json(file)) for file in files if file.is_file()]


def _settings(folder: Path) -> dict[str, Any]:
    file = _above(folder, [SETTINGS])
    return _table(_table(_json(file)).get(SETTINGS_KEY)) if file else {}


def _above(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of ``names`` that is in ``folder``, or in the nearest folder above it."""
    for place in (folder.absolute(), *folder.absolute().parents):
        for name in names:
            if (place / name).is_file():
                return place / name
    return None


def _json(file: Path) -> Any:
    """JSON, with the comments and last commas that editors allow. Raises :class:`UserError`."""
    kept = r'("(?:\\.|[^"\\])*")'
    try:
        text = re.sub(kept + r"|//[^\n]*|/\*.*?\*/", r"\1", file.read_text("utf-8-sig"), flags=re.S)
        return json.loads(re.sub(kept + r"|,(?=\s*[}\]])", r"\1", text))
    except OSError as problem:
        raise UserError(f"{file}: {problem.strerror}") from None
    except ValueError as problem:
        raise UserError(f"{file}: not JSON: {problem}") from None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _member(table: Mapping[str, Any], name: str) -> str | None:
    """The value of ``name``, or of the member ``a.b`` that it names; ``None`` if it is no text."""
    value: Any = table
    for part in [name] if name in table else name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _dotenv(file: Path) -> dict[str, str]:
    try:
        return env_file.read(file)
    except UserError as problem:
        raise ValueError(str(problem)) from None
