"""Reads TOML files into dataclasses by msgspec; errors have file, key and remedy."""

from __future__ import annotations

import enum
import json
import re
import tomllib
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from wsgi_matrix.errors import ConfigError, suggestion
from wsgi_matrix.util.struct_from_dataclass import extra, file_type, model_value, taken_apart

T = TypeVar("T")

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
"""Maximum number of characters of a value in an error."""
_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Any: "a value",
}
_PLURALS: Mapping[Any, str] = {str: "strings", int: "whole numbers"}


class TomlFile:
    """One file. Errors are :class:`ConfigError` and begin with its name."""

    def __init__(self, file: Path, name: str = "") -> None:
        """``name``: used in errors instead of the path, if the user did not write a file."""
        self.file = file.absolute()
        self.name = name or str(self.file)
        self.root = self.file.parent

    def read(self) -> dict[str, Any]:
        """The file's content."""
        try:
            return tomllib.loads(self.file.read_text(encoding="utf-8"))
        except OSError as problem:
            message = f"{self.file}: {problem.strerror}; use another file with --config"
            raise ConfigError(message) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise ConfigError(f"{self.file}: invalid TOML: {problem}") from None

    def convert(self, value: Any, kind: type[T], *path: str) -> T:
        """Convert ``value``, read from the key ``path``, to a ``kind``."""
        try:
            found = msgspec.convert(value, file_type(kind))
        except msgspec.ValidationError:
            self._explain(value, file_type(kind), path)
        name = path[-1] if path else ""
        made: T = model_value(found, kind, self._unexpected, self.root, path, name)
        return made

    def wrong(self, key: str, message: str) -> NoReturn:
        """Raise the error about ``key``, as written by :func:`dotted`; empty: about the file."""
        raise ConfigError(": ".join(filter(None, [self.name, key, message])))

    def unknown(self, known: Iterable[str], *path: str) -> NoReturn:
        """Raise the error about a key that is not among the ``known`` ones."""
        self.wrong(dotted(path), f"unknown key{suggestion(path[-1], known)}")

    def _unexpected(self, path: Sequence[str], wanted: str, found: Any) -> NoReturn:
        self.wrong(dotted(path), f"expected {wanted}, not {shown(found)}")

    def _explain(self, value: Any, kind: Any, path: tuple[str, ...]) -> NoReturn:
        """Raise the error about a value that msgspec rejects.

        msgspec's own message names neither the user's keys nor the known ones, and mentions JSON.
        """
        core, metas = taken_apart(kind)
        in_words = any(extra(meta, "expected") for meta in metas)
        if isinstance(value, dict) and _is_dict(core):
            of_key, of_value = typing.get_args(core)
            self._explain_named(value, of_key, of_value, path)
        elif isinstance(value, dict) and _is_table(core):
            self._explain_table(value, core, path)
        elif isinstance(value, list) and typing.get_origin(core) is tuple and not in_words:
            self._explain_items(value, typing.get_args(core)[0], path)
        self._unexpected(path, expected(kind), value)

    def _explain_named(
        self, tables: Mapping[str, Any], of_key: Any, of_value: Any, path: tuple[str, ...]
    ) -> None:
        for key, each in tables.items():
            if not _fits(key, of_key):
                self._unexpected((*path, key), f"a name of {expected(of_key)}", key)
            if not _fits(each, of_value):
                self._explain(each, of_value, (*path, key))

    def _explain_table(self, table: Mapping[str, Any], kind: Any, path: tuple[str, ...]) -> None:
        fields = {each.name: each for each in msgspec.structs.fields(kind)}
        for key in table:
            if key not in fields:
                self._unknown(key, fields, path)
        for name, field in fields.items():
            if name in table and not _fits(table[name], field.type):
                self._explain(table[name], field.type, (*path, name))
            if name not in table and field.required:
                self.wrong(dotted(path), f'the key "{name}" is missing')

    def _explain_items(self, items: Iterable[Any], kind: Any, path: tuple[str, ...]) -> None:
        """Raise the error about the first invalid item, unless all items are plain strings."""
        for number, each in enumerate(items, 1):
            if expected(kind) != _WORDS[str] and not _fits(each, kind):
                self._explain(each, kind, (*path, str(number)))

    def _unknown(
        self, key: str, fields: Mapping[str, msgspec.structs.FieldInfo], path: tuple[str, ...]
    ) -> NoReturn:
        for name, field in fields.items():
            for meta in taken_apart(field.type)[1]:
                if key in (was := extra(meta, "was") or {}):
                    remedy = f"; {was[key]}" if was[key] else ""
                    self.wrong(dotted((*path, key)), f'this key was renamed to "{name}"{remedy}')
        self.unknown(fields, *path, key)


def dotted(path: Iterable[str]) -> str:
    """A key as TOML writes it (TOML 1.0, dotted keys)."""
    return ".".join(
        each if _BARE.fullmatch(each) else json.dumps(each, ensure_ascii=False) for each in path
    )


def shown(value: Any) -> str:
    """A value in one line, in TOML notation or close to it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def expected(kind: Any) -> str:
    """What a value of ``kind`` must be, in words."""
    core, metas = taken_apart(kind)
    if words := next((each for meta in metas if (each := extra(meta, "expected"))), ""):
        return str(words)
    if _is_table(core) or _is_dict(core):
        return "a table"
    if typing.get_origin(core) is tuple:
        item, _ = taken_apart(typing.get_args(core)[0])
        least = next((meta.min_length for meta in metas if meta.min_length), 0)
        of = "tables" if _is_table(item) else _PLURALS.get(item, "values")
        return f"a list of {of}" + (" that is not empty" if least else "")
    if choices := _choices(core):
        return " or ".join(shown(each) for each in choices)
    if core is str and any(meta.min_length for meta in metas):
        return "a non-empty string"
    return _WORDS.get(core, "something else") + "".join(map(_range, metas))


def _choices(core: Any) -> tuple[Any, ...]:
    if typing.get_origin(core) is typing.Literal:
        return typing.get_args(core)
    return tuple(core) if isinstance(core, enum.EnumType) else ()


def _range(meta: msgspec.Meta) -> str:
    parts: Iterator[tuple[str, float | None]] = iter(
        [("from", meta.ge), ("greater than", meta.gt), ("to", meta.le), ("less than", meta.lt)]
    )
    return "".join(f" {word} {bound}" for word, bound in parts if bound is not None)


def _is_table(core: Any) -> bool:
    return isinstance(core, type) and issubclass(core, msgspec.Struct)


def _is_dict(core: Any) -> bool:
    return typing.get_origin(core) is dict


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
