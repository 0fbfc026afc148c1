"""Values of ``{{…}}`` in traffic: variables from options, environments, files and the clock.

The first source with the name provides the value: ``--var``; values captured from responses; the
environment in ``http-client.env.json`` (JetBrains, Visual Studio); the file's own ``@name = …``;
the environment in REST Client's settings; an earlier response (``{{name.response.body.$.id}}``);
and dynamic variables, which start with ``$``.
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
"""Later files override earlier ones."""
SETTINGS = ".vscode/settings.json"
SETTINGS_KEY = "rest-client.environmentVariables"
SHARED = "$shared"
COMPONENT = "!~*'()"
"""What ``encodeURIComponent`` does not escape, in addition to letters and digits (ECMA-262)."""
DEEPEST = 20


@dataclass(frozen=True, kw_only=True)
class Given:
    """Variables from options, and the generated values of this run."""

    var: Mapping[str, str] = field(default_factory=dict)
    http_env: str = ""
    captured: frozenset[str] = frozenset()
    """Names that are captured from any response."""
    dynamic: Dynamic = field(default_factory=Dynamic)


class Variables:
    """The variables of one traffic file in ``folder``, or of options."""

    def __init__(self, folder: Path, given: Given, *, has_own: bool = True) -> None:
        """``has_own``: whether the file may contain ``@name = …``."""
        self.folder = folder
        self.given = given
        self.has_own = has_own
        self.own: dict[str, str] = {}
        """Variables of the file itself, not replaced yet."""
        self.captured: set[str] = set(given.captured)
        self.requests: set[str] = set()
        """Names of requests, for ``{{name.response…}}``."""
        self.wanted: dict[str, list[Capture]] = {}
        """Captures that later requests need, by the name of the request."""
        self.hints: dict[str, str] = {}
        """Hints for names without a value."""
        self._settled: dict[str, str] = {}
        self._shaping = False
        self._environment, self._settings = environments(folder, given.http_env)

    def of_environment(self, name: str) -> str | None:
        """The value of ``name`` from an option or the chosen environment."""
        return self.given.var.get(name) or _member(self._environment, name)

    def fill(self, text: str, depth: int = 0) -> str:
        """``text`` with variables replaced, except for those that are captured at run time.

        Raises ``ValueError`` for a name without a value.
        """
        if depth > DEEPEST:
            raise ValueError(f"circular variables in {text!r}")
        return PLACE.sub(lambda place: self._value(place[1], depth), text)

    def shape(self, text: str) -> str:
        """``text`` with variables replaced, except for generated ones: the same in each run."""
        settled, self._settled, self._shaping = self._settled, {}, True
        try:
            return self.fill(text)
        finally:
            self._settled, self._shaping = settled, False

    def _value(self, name: str, depth: int) -> str:
        if name in self.given.var:
            return self.given.var[name]  # unchanged: {{ in it is plain text
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
        made = self._of_response(name) or self._of_environment(name, depth)
        if made is None and self._shaping:
            return name.strip("$").replace(" ", "-")
        if made is None:
            made = self.given.dynamic.value(name)
        if made is None:
            raise ValueError(self._missing(name))
        return made

    def _settle(self, name: str, value: str, depth: int) -> str:
        """Replaced once, so that a named dynamic value is the same wherever it is used."""
        if name not in self._settled:
            self._settled[name] = self.fill(value, depth + 1)
        return self._settled[name]

    def _of_response(self, name: str) -> str | None:
        response = RESPONSE.fullmatch(name)
        if not response:
            return None
        if response[1] not in self.requests:
            there = suggestion(response[1], self.requests)
            said = f"{{{{{name}}}}}: no request has the name {response[1]}{there}"
            raise ValueError(f"{said}; set it with # @name {response[1]} above the request")
        kind, where = ("json" if response[2] == "body" else "header"), response[3]
        if kind == "json" and where == "*":
            kind, where = "regex", r"(?s)\A(.*)\Z"
        elif kind == "json" and where.startswith("/"):
            raise ValueError(f"{{{{{name}}}}}: XPath is not supported; use # @capture with a regex")
        elif kind == "json":
            where = where if where.startswith("$") else f"$.{where}"
            jsonpath.parse(where)
        called = re.sub(r"[^\w-]+", ".", f"{response[1]}.{response[3].lstrip('$.')}").strip(".")
        same = Capture(name=called, kind=kind, where=where)
        mine = self.wanted.setdefault(response[1], [])
        if same not in mine:
            mine.append(same)
        return "{{" + same.name + "}}"

    def _of_environment(self, name: str, depth: int) -> str | None:
        """A variable of this process's environment, or of the nearest ``.env``."""
        if found := OF_PROCESS.fullmatch(name):
            key = self._value(found[2], depth) if found[1] else found[2]
            if key not in os.environ:
                raise ValueError(
                    f"{{{{{name}}}}}: {key} is not set; set it, or use --var '{name}=…'"
                )
            return os.environ[key]
        if found := OF_DOTENV.fullmatch(name):
            key = self._value(found[2], depth) if found[1] else found[2]
            files = [f".env.{self.given.http_env}"] if self.given.http_env else []
            file = _above(self.folder, [*files, ".env"])
            if file is None:
                raise ValueError(f"{{{{{name}}}}}: no .env in {self.folder} or its parents")
            values = _dotenv(file)
            if key not in values:
                raise ValueError(f"{{{{{name}}}}}: {file} has no {key}{suggestion(key, values)}")
            return values[key]
        return None

    def _missing(self, name: str) -> str:
        """The error for a name without a value."""
        said = f"no variable {{{{{name}}}}}: "
        if name.startswith("$"):
            said += f"set it with --var '{name}=…'"
        elif self.has_own:
            said += f"set it with @{name} = … at the top of the file, or --var {name}=…"
        else:
            said += f"set it with --var {name}=… (%7B%7B is two braces)"
        if hint := self.hints.get(name):
            return f"{said}; {hint}"
        if there := having(self.folder, name):
            return f"{said}; or use an environment with it: --http-env {' or '.join(there)}"
        known = {*self.own, *self.captured, *self.requests, *self.given.var, *self._environment}
        near = suggestion(name, known | set(self._settings))
        return said + (near if "did you mean" in near else "")


def parse(given: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` of ``--var``. Raises :class:`UserError`."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise UserError(f"--var {each}: expected NAME=VALUE, such as host=localhost:8000")
        found[name.strip()] = value
    return found


def environments(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The environment ``name`` in the nearest environment files, and in REST Client's settings.

    Each includes the shared variables, even if there is no such environment.
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
    """Raise :class:`UserError` if none of ``folders`` has the environment."""
    tables = [table for folder in folders for table in [*_files(folder), _settings(folder)]]
    names = {key for table in tables for key in table if key != SHARED}
    if name and name not in names:
        files = "http-client.env.json or .vscode/settings.json near the traffic"
        raise UserError(f'--http-env: no "{name}" in {files}{suggestion(name, names)}')


def having(folder: Path, variable: str) -> list[str]:
    """The environments of ``folder`` that have ``variable``."""
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
    """The first of ``names`` in ``folder``, or in its nearest parent that has one."""
    for place in (folder.absolute(), *folder.absolute().parents):
        for name in names:
            if (place / name).is_file():
                return place / name
    return None


def _json(file: Path) -> Any:
    """JSON with comments and trailing commas, as in editors. Raises :class:`UserError`."""
    kept = r'("(?:\\.|[^"\\])*")'
    try:
        text = re.sub(kept + r"|//[^\n]*|/\*.*?\*/", r"\1", file.read_text("utf-8-sig"), flags=re.S)
        return json.loads(re.sub(kept + r"|,(?=\s*[}\]])", r"\1", text))
    except OSError as problem:
        raise UserError(f"{file}: {problem.strerror}") from None
    except ValueError as problem:
        raise UserError(f"{file}: invalid JSON: {problem}") from None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _member(table: Mapping[str, Any], name: str) -> str | None:
    """The value of ``name``, or of the nested member ``a.b``; ``None`` if it is not text."""
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
