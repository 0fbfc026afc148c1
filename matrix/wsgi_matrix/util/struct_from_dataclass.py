"""Derives the type of a file's table from a dataclass, and converts values back.

msgspec checks a file against such a type, and makes its JSON Schema. The type differs from the
dataclass where :mod:`.schema_types` says so: in the form of a value, and in that the name of a
table is not one of its keys. Undeclared keys are forbidden, and TOML has no null.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wsgi_matrix.util.schema_types import Form

Wrong = Callable[[tuple[str, ...], str, Any], typing.NoReturn]
"""Called with the path of a key, what was expected there, and what was found."""


def taken_apart(hint: Any) -> tuple[Any, list[Meta]]:
    """Split a type from its annotations, the outermost first. ``None`` and unset are dropped.

    A union of several types is returned unchanged.
    """
    metas: list[Meta] = []
    while True:
        if typing.get_origin(hint) is Annotated:
            hint, *found = typing.get_args(hint)
            metas += reversed(found)
        elif typing.get_origin(hint) in (Union, types.UnionType):
            there = [
                each for each in typing.get_args(hint) if each not in (types.NoneType, UnsetType)
            ]
            if len(there) != 1:
                return hint, metas
            [hint] = there
        else:
            return hint, metas


def form_of(hint: Any) -> Form | None:
    """The form in a file of a ``hint``; ``None``: the same as in the model."""
    return next((form for meta in taken_apart(hint)[1] if (form := extra(meta, "form"))), None)


def extra(meta: Meta, name: str) -> Any:
    """wsgi-matrix's own entry ``name`` in ``meta``."""
    return (meta.extra or {}).get(name)


def file_type(hint: Any) -> Any:
    """The type in a file of a ``hint``."""
    kind, metas = taken_apart(hint)
    if form := form_of(hint):
        made = file_type(form.type)
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        made = file_struct(kind)
    elif typing.get_origin(kind) in (Union, types.UnionType):
        made = functools.reduce(operator.or_, map(file_type, typing.get_args(kind)))
    elif (arguments := typing.get_args(kind)) and typing.get_origin(kind) is not Literal:
        made = typing.get_origin(kind)[
            tuple(each if each is ... else file_type(each) for each in arguments)
        ]
    else:
        made = kind
    outer = [meta for meta in reversed(metas) if not extra(meta, "form")]
    return Annotated[(made, *outer)] if outer else made


@functools.cache
def file_struct(kind: type) -> type[msgspec.Struct]:
    """The type of the file's table for the dataclass ``kind``."""
    made: type[msgspec.Struct] = msgspec.defstruct(
        kind.__name__,
        [_field(each, hint) for each, hint in _keys(kind)],
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": kind.__doc__},
    )
    return made


def _keys(kind: type) -> list[tuple[dataclasses.Field[Any], Any]]:
    """The fields that are keys in a file, with their types."""
    return _fields(kind)[0]


def _names(kind: type) -> list[str]:
    """The fields that have the table's name."""
    return [each.name for each, _ in _fields(kind)[1]]


@functools.cache
def _fields(kind: type) -> tuple[list[tuple[dataclasses.Field[Any], Any]], ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found = [(each, hints[each.name]) for each in dataclasses.fields(kind)]
    return tuple(
        [(each, hint) for each, hint in found if _is_name(hint) is named] for named in (False, True)
    )


def _is_name(hint: Any) -> bool:
    return any(extra(meta, "name") for meta in taken_apart(hint)[1])


def _field(each: dataclasses.Field[Any], hint: Any) -> tuple[Any, ...]:
    made = file_type(hint)
    if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
        return each.name, made
    return each.name, _with_default(made, each.default) | UnsetType, UNSET


def _with_default(made: Any, default: Any) -> Any:
    """``made`` with its default for editors, if a file can express it."""
    try:
        value = msgspec.to_builtins(default)
        msgspec.convert(value, made)
    except (TypeError, msgspec.ValidationError):
        return made
    return Annotated[made, Meta(extra_json_schema={"default": value})]


def model_value(
    value: Any, hint: Any, wrong: Wrong, root: Path, path: tuple[str, ...] = (), name: str = ""
) -> Any:
    """Convert ``value``, of the type ``file_type(hint)``, to a ``hint``.

    ``root``: the file's directory. ``path``: of ``value`` in the file. ``name``: the last part of
    it that the user chose. Calls ``wrong`` for a value that :class:`Form` rejects.
    """
    there = functools.partial(model_value, wrong=wrong, root=root)
    kind, _ = taken_apart(hint)
    if form := form_of(hint):
        try:
            return form.make(there(value, form.type, path=path, name=name), root)
        except ValueError as problem:
            wrong(path, str(problem), value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        given: dict[str, Any] = dict.fromkeys(_names(kind), name)
        for each, of in _keys(kind):
            if (found := getattr(value, each.name)) is not UNSET:
                given[each.name] = there(found, of, path=(*path, each.name))
        return kind(**given)
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return {
            key: there(each, arguments[1], path=(*path, key), name=key)
            for key, each in value.items()
        }
    if typing.get_origin(kind) is tuple:
        return tuple(
            there(each, arguments[0], path=(*path, str(number)))
            for number, each in enumerate(value, 1)
        )
    return value
