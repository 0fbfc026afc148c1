"""``.http`` files, as the REST Client of VS Code and the HTTP client of JetBrains write them.

    @token = abc                     a variable of the file

    ### Log in                       a separator, with a title
    # @name login                    what later requests call it
    # @capture csrf = regex:name="csrf" value="([^"]+)"
    POST {{host}}/login HTTP/1.1     a request line; a method alone may be left out (GET)
    Content-Type: application/json

    {"token": "{{token}}"}

``{{login.response.body.$.id}}`` and ``{{login.response.headers.Location}}`` are values of an
earlier answer; ``# @capture NAME = …`` (ours) names one that is found by ``regex:``, ``json:``,
``header:`` or ``cookie:``. ``< file`` is a body from a file. Scripts are not run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from wsgi_matrix.errors import suggestion
from wsgi_matrix.probe.agent import jsonpath
from wsgi_matrix.traffic.model import Ask, Capture, Session
from wsgi_matrix.traffic.paths import target

METHOD = re.compile(r"(?:([A-Z]+)\s+)?(\S.*?)(?:\s+HTTP/[\d.]+)?\s*")
VARIABLE = re.compile(r"@([\w-]+)\s*=\s*(.*)")
DIRECTIVE = re.compile(r"(?:#|//)\s*@([\w-]+)\s*(.*)")
PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
RESPONSE = re.compile(r"([\w-]+)\.response\.(body|headers)\.(.+)")
MADE = ("host", "content-length", "transfer-encoding", "connection")
"""Fields that are ours to make: what was written would not fit what is sent."""
FIXED = {
    "$guid": "6f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d90",
    "$random.uuid": "6f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d90",
    "$uuid": "6f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d90",
    "$timestamp": "1764000000",
    "$datetime": "2025-11-24T16:00:00Z",
    "$isoTimestamp": "2025-11-24T16:00:00Z",
    "$randomInt": "421",
}
"""What is random or the time for others is one value here, so that two runs send the same."""


@dataclass
class _Block:
    """What stands between two separators, while it is read."""

    first: int
    lines: list[str]
    name: str = ""
    captures: list[Capture] = field(default_factory=list)


def capture(text: str) -> Capture:
    """``NAME=KIND:WHERE``. Raises ``ValueError``."""
    name, equals, rest = (part.strip() for part in text.partition("="))
    kind, colon, where = rest.partition(":")
    if not (re.fullmatch(r"\w[\w.-]*", name) and equals and colon and where):
        raise ValueError(f'a capture such as token=regex:value="([^"]+)" is expected, not {text!r}')
    if kind == "regex":
        try:
            re.compile(where)
        except re.error as problem:
            raise ValueError(f"{where!r} is no regular expression: {problem}") from None
    elif kind == "json":
        jsonpath.parse(where)
    elif kind not in ("header", "cookie"):
        raise ValueError(f'a capture is by regex, json, header or cookie, not "{kind}"')
    return Capture(name=name, kind=kind, where=where)


def read(text: str, source: str, folder: Path, given: Mapping[str, str] | None = None) -> Session:
    """The requests of a file. ``folder``: where ``< file`` is looked for; ``given``: names that
    the caller captures from any answer. Raises ``ValueError`` with the line.
    """
    variables: dict[str, str] = {}
    notes: list[str] = []
    blocks = _blocks(text, variables)
    names = {block.name for block in blocks if block.name}
    known = {each.name for block in blocks for each in block.captures} | set(given or ())
    reader = _Reader(source, folder, variables, names, known, notes)
    asks = [ask for block in blocks if (ask := reader.ask(block)) is not None]
    return Session(asks=tuple(reader.with_captures(asks)), notes=tuple(dict.fromkeys(notes)))


def _blocks(text: str, variables: dict[str, str]) -> list[_Block]:
    """The blocks of a file; its variables are put into ``variables``."""
    blocks = [_Block(1, [])]
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("###"):
            blocks.append(_Block(number + 1, []))
            continue
        block = blocks[-1]
        begun = any(each.strip() for each in block.lines)
        directive = None if begun else DIRECTIVE.fullmatch(line.strip())
        variable = None if begun else VARIABLE.fullmatch(line.strip())
        if directive and directive[1] == "name":
            block.name = directive[2].strip()
        elif directive and directive[1] == "capture":
            try:
                block.captures.append(capture(directive[2]))
            except ValueError as problem:
                raise ValueError(f"line {number}: {problem}") from None
        elif variable:
            variables[variable[1]] = variable[2].strip()
        said = directive or variable or (not begun and line.lstrip().startswith(("#", "//")))
        block.lines.append("" if said else line)  # an empty one keeps the count of lines
    return blocks


@dataclass
class _Reader:
    """Turns blocks into requests."""

    source: str
    folder: Path
    variables: dict[str, str]
    names: set[str]
    """Of requests, for ``{{name.response…}}``."""
    known: set[str]
    """Of captures."""
    notes: list[str]
    wanted: dict[str, list[Capture]] = field(default_factory=dict)
    """By the name of the request: what later ones want of its answer."""
    called: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def ask(self, block: _Block) -> Ask | None:
        """The request of a block; ``None`` for one that has none."""
        start = next((i for i, line in enumerate(block.lines) if line.strip()), None)
        if start is None:
            return None
        line = block.first + start
        try:
            return self._ask(block, block.lines[start:], line)
        except ValueError as problem:
            raise ValueError(f"line {line}: {problem}") from None

    def _ask(self, block: _Block, lines: list[str], line: int) -> Ask:
        url, rest = lines[0].strip(), lines[1:]
        while rest and rest[0][:1].isspace() and rest[0].strip():
            url += rest.pop(0).strip()  # a query that goes over several lines
        found = METHOD.fullmatch(url)
        assert found is not None
        method, url = found[1] or "GET", self._filled(found[2])
        fields, host = [], "localhost"
        while rest and rest[0].strip():
            name, colon, value = rest.pop(0).partition(":")
            if not colon or not name.strip() or name != name.rstrip():
                raise ValueError(f'a field such as "Accept: text/html" is expected, not {name!r}')
            if name.lower() == "host":
                host = self._filled(value.strip())
            elif name.lower() not in MADE:
                fields.append((name.strip(), self._filled(value.strip())))
        if "://" in url:
            host = urlsplit(url).netloc or host
        elif not url.startswith(("/", "{{")):
            raise ValueError(f'a request such as "GET /path" is expected, not {lines[0]!r}')
        ask = Ask(
            method=method,
            target=target(url),
            host=host,
            fields=tuple(fields),
            body=self._body(rest[1:]),
            captures=tuple(block.captures),
            source=f"{self.source}:{line}",
        )
        if block.name:
            self.called[block.name] = self.count
        self.count += 1
        return ask

    def _body(self, lines: list[str]) -> bytes | None:
        kept = []
        for number, line in enumerate(lines):
            if line.startswith(("> ", ">> ", "<> ")) or line.strip() == ">":
                self.notes.append(f"{self.source}: scripts and kept answers are passed over")
                lines = lines[:number]
                break
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        for line in lines:
            file = re.fullmatch(r"<(@?)\s+(\S.*)", line)
            if file:
                kept.append(self._file(file[2].strip(), fill=bool(file[1])))
            else:
                kept.append(self._filled(line).encode())
        return b"\n".join(kept) if lines else None

    def _file(self, name: str, *, fill: bool) -> bytes:
        path = self.folder / self._filled(name)
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise ValueError(f"the body {path} cannot be read: {problem.strerror}") from None
        return self._filled(content.decode()).encode() if fill else content

    def _filled(self, text: str, depth: int = 0) -> str:
        """With the variables of the file filled in; what is captured at run time stays a place."""
        if depth > 20:
            raise ValueError(f"variables that stand for each other in {text!r}")

        def value(place: re.Match[str]) -> str:
            name = place[1]
            if name in self.variables:
                return self._filled(self.variables[name], depth + 1)
            return self._special(name)

        return PLACE.sub(value, text)

    def _special(self, name: str) -> str:
        response = RESPONSE.fullmatch(name)
        if response and response[1] in self.names:
            kind = "json" if response[2] == "body" else "header"
            where = response[3]
            if kind == "json":
                where = where if where.startswith("$") else f"$.{where}"
                jsonpath.parse(where)
            called = re.sub(r"[^\w-]+", ".", f"{response[1]}.{where.lstrip('$.')}").strip(".")
            same = Capture(name=called, kind=kind, where=where)
            mine = self.wanted.setdefault(response[1], [])
            if same not in mine:
                mine.append(same)
            return "{{" + same.name + "}}"
        if name in self.known:
            return "{{" + name + "}}"
        words = name.split()
        if words and words[0] in FIXED:
            return FIXED[words[0]]
        if len(words) == 2 and words[0] == "$processEnv":
            return os.environ.get(words[1].lstrip("%"), "")
        there = [*self.variables, *self.known, *self.names]
        raise ValueError(f"no variable {{{{{name}}}}}{suggestion(name, there)}")

    def with_captures(self, asks: list[Ask]) -> list[Ask]:
        """With what later requests want of the answer of each."""
        for name, wanted in self.wanted.items():
            if name in self.called:
                number = self.called[name]
                ask = asks[number]
                asks[number] = replace(ask, captures=(*ask.captures, *wanted))
        return asks
