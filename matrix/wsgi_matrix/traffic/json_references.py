"""JSON and YAML documents that refer to each other (``$ref``, RFC 6901 and OpenAPI 3.1, 4.3.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

DEEPEST = 20
"""Maximum depth of references, to end circular ones."""
LARGEST = 256 * 2**20
"""Maximum octets of a traffic file; a HAR with videos, for example, is too large."""
TIME = "tag:yaml.org,2002:timestamp"


class Files:
    """A document and those next to it, each read once."""

    def __init__(self, document: Any, file: Path | None) -> None:
        self._there: dict[Path | None, Any] = {file: document}

    def read(self, file: Path) -> Any:
        """The content of ``file``. Raises ``ValueError``."""
        if file not in self._there:
            self._there[file] = parse(text_of(file), file)
        return self._there[file]

    def of(self, file: Path | None) -> Any:
        """The content of a file that has been read."""
        return self._there[file]


@dataclass(frozen=True)
class Node:
    """A value, and the document that its references are relative to."""

    value: Any
    files: Files
    file: Path | None = None
    """``None``: a document without a file, which can only refer to itself."""

    def at(self, key: str, where: str = "") -> Node:
        """The member ``key`` with references resolved; a node of ``None`` if it is missing."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(value, self.files, self.file).resolved(where or key)

    def items(self, where: str) -> Iterator[tuple[str, Node]]:
        """The members with references resolved. Raises ``ValueError`` if it is not an object."""
        for key in self.object(where):
            yield str(key), self.at(key, f"{where}.{key}")

    def each(self, where: str) -> Iterator[Node]:
        """The elements with references resolved."""
        for value in self.value if isinstance(self.value, list) else []:
            yield Node(value, self.files, self.file).resolved(where)

    def object(self, where: str) -> dict[str, Any]:
        """The value. Raises ``ValueError`` if it is not an object."""
        if not isinstance(self.value, dict):
            raise ValueError(f"{where}: expected an object, not {self.value!r}")
        return self.value

    def resolved(self, where: str) -> Node:
        """The node without references. Raises ``ValueError`` for an invalid reference."""
        node = self
        for _ in range(DEEPEST):
            if not isinstance(node.value, dict) or not isinstance(node.value.get("$ref"), str):
                return node
            node = node._target(node.value["$ref"], where)
        raise ValueError(f"{where}: circular references")

    def _target(self, reference: str, where: str) -> Node:
        name, _, pointer = reference.partition("#")
        file = self.file
        if "://" in name:
            raise ValueError(f"{where}: {reference}: nothing is fetched; refer to a local file")
        if name:
            if self.file is None:
                raise ValueError(f"{where}: {reference}: the document is not a file")
            file = (self.file.parent / unquote(name)).resolve()
            try:
                self.files.read(file)
            except ValueError as problem:
                raise ValueError(f"{where}: {reference}: {problem}") from None
        value = self.files.of(file)
        for part in pointer.split("/")[1:]:
            step = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                raise ValueError(f"{where}: {reference} does not exist")
        return Node(value, self.files, file)


def text_of(file: Path) -> str:
    """The text of a traffic file. Raises ``ValueError``."""
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST >> 20} MiB, the maximum for traffic")
        return file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ValueError(str(problem.strerror)) from None
    except UnicodeDecodeError as problem:
        raise ValueError(f"invalid UTF-8: {problem}") from None


def parse(text: str, file: Path) -> Any:
    """Parse JSON or YAML, by the file's name. Raises ``ValueError`` with the place of an error."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        try:
            return json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as problem:
            raise ValueError(f"invalid JSON: {problem}") from None
    try:
        return _of_json(yaml.load(text, Loader=_loader()), {})  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise ValueError(f"invalid YAML: {' '.join(str(problem).split())}") from None


def _of_json(value: Any, known: dict[int, Any]) -> Any:
    """``value`` with strings as keys, as in JSON: in YAML, a status code is a number.

    An alias (YAML 1.2.2, 7.1) is one value in several places, and remains shared, since nine of
    them in each of ten lines would be gigabytes. ``known``: results by id.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if not isinstance(value, dict | list):
        return str(value)
    if id(value) in known:
        if known[id(value)] is None:
            raise ValueError("an alias within its own anchor")
        return known[id(value)]
    known[id(value)] = None
    found: Any
    if isinstance(value, dict):
        found = {_name(key): _of_json(each, known) for key, each in value.items()}
    else:
        found = [_of_json(each, known) for each in value]
    known[id(value)] = found
    return found


def _name(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, int | float):
        return json.dumps(key)
    raise ValueError(f"expected a string as the name of a member, not {key!r}")


@cache
def _loader() -> Any:
    """PyYAML's safe loader, in C if available, which is four times as fast; dates are text."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, expression) for tag, expression in each if tag != TIME]
        for first, each in base.yaml_implicit_resolvers.items()
    }
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})
