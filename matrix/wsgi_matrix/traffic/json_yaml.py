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
"""References that lead to each other end there."""
LARGEST = 256 * 2**20
"""Octets of a file of traffic; a HAR with films in it is no traffic to send."""
TIME = "tag:yaml.org,2002:timestamp"


class Files:
    """The document that was read, and those beside it, each read once."""

    def __init__(self, document: Any, file: Path | None) -> None:
        self._there: dict[Path | None, Any] = {file: document}

    def read(self, file: Path) -> Any:
        """The content of ``file``. Raises ``ValueError``."""
        if file not in self._there:
            self._there[file] = parse(text_of(file), file)
        return self._there[file]

    def of(self, file: Path | None) -> Any:
        """What was read already."""
        return self._there[file]


@dataclass(frozen=True)
class Node:
    """A value, and the document that its references are relative to."""

    value: Any
    files: Files
    file: Path | None = None
    """``None``: a document that is no file, and can refer to itself alone."""

    def at(self, key: str, where: str = "") -> Node:
        """The member ``key``, what it refers to resolved; of ``None`` if there is none."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(value, self.files, self.file).resolved(where or key)

    def items(self, where: str) -> Iterator[tuple[str, Node]]:
        """The members, what they refer to resolved. Raises ``ValueError`` if it is no object."""
        for key in self.object(where):
            yield str(key), self.at(key, f"{where}.{key}")

    def each(self, where: str) -> Iterator[Node]:
        """The elements, what they refer to resolved."""
        for value in self.value if isinstance(self.value, list) else []:
            yield Node(value, self.files, self.file).resolved(where)

    def object(self, where: str) -> dict[str, Any]:
        """The value. Raises ``ValueError`` if it is no object."""
        if not isinstance(self.value, dict):
            raise ValueError(f"{where}: an object is expected, not {self.value!r}")
        return self.value

    def resolved(self, where: str) -> Node:
        """What the reference leads to. Raises ``ValueError`` if it leads nowhere."""
        node = self
        for _ in range(DEEPEST):
            if not isinstance(node.value, dict) or not isinstance(node.value.get("$ref"), str):
                return node
            node = node._target(node.value["$ref"], where)
        raise ValueError(f"{where}: references that lead to each other")

    def _target(self, reference: str, where: str) -> Node:
        name, _, pointer = reference.partition("#")
        file = self.file
        if "://" in name:
            raise ValueError(f"{where}: {reference}: nothing is fetched; refer to a file beside it")
        if name:
            if self.file is None:
                raise ValueError(f"{where}: {reference}: there is no file beside the document")
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
                raise ValueError(f"{where}: {reference} leads nowhere")
        return Node(value, self.files, file)


def text_of(file: Path) -> str:
    """The text of a file of traffic. Raises ``ValueError``."""
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"traffic of more than {LARGEST >> 20} MiB is not read")
        return file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ValueError(str(problem.strerror)) from None
    except UnicodeDecodeError as problem:
        raise ValueError(f"not UTF-8: {problem}") from None


def parse(text: str, file: Path) -> Any:
    """JSON or YAML, by the file's name. Raises ``ValueError`` with the place where it is none."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        try:
            return json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as problem:
            raise ValueError(f"not JSON: {problem}") from None
    try:
        return _of_json(yaml.load(text, Loader=_loader()), {})  # noqa: S506 - it is a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise ValueError(f"not YAML: {' '.join(str(problem).split())}") from None


def _of_json(value: Any, known: dict[int, Any]) -> Any:
    """``value`` as JSON has it, whose objects have names of text: a status is a number in YAML.

    An alias (YAML 1.2.2, 7.1) is one value in several places, and stays one: nine of them in each
    of ten lines are a document of gigabytes. ``known``: by id, what came of each.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if not isinstance(value, dict | list):
        return str(value)
    if id(value) in known:
        if known[id(value)] is None:
            raise ValueError("an alias within what it stands for")
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
    raise ValueError(f"the name of a member is text, not {key!r}")


@cache
def _loader() -> Any:
    """PyYAML's safe loader, in C where it is there: four times as fast and more. Dates are text."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, expression) for tag, expression in each if tag != TIME]
        for first, each in base.yaml_implicit_resolvers.items()
    }
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})
