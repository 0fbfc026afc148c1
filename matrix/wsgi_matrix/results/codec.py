"""The one serialiser: values of :mod:`wsgi_matrix.model` ↔ JSON, by msgspec.

All fields of a dataclass are written, so that none can be forgotten. Octets are base64 (RFC 4648
section 4), since JSON has no type for them.
"""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

DecodeError = msgspec.MsgspecError
"""Raised for invalid JSON, or a wrong type; the text says what is wrong, and where."""


def builtins(value: Any) -> Any:
    """``value`` as JSON types: dicts, lists, strings, numbers."""
    return _plain(msgspec.to_builtins(value, enc_hook=_encode))


def dumps(value: Any) -> str:
    """``value`` as JSON text: readable, and deterministic."""
    text: bytes = msgspec.json.format(msgspec.json.encode(builtins(value)), indent=2)
    return text.decode() + "\n"


def loads(text: bytes | str) -> Any:
    """Parse JSON to dicts, lists, strings and numbers. Raises :data:`DecodeError`."""
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise DecodeError("nested too deeply") from None


def convert(value: Any, kind: type[T]) -> T:
    """Convert the result of :func:`builtins` or :func:`loads` to a ``kind``.

    Raises :data:`DecodeError`. Fields with a default may be missing, because an older version wrote
    the value. Unknown fields are ignored.
    """
    _prepare(kind)
    made: T = msgspec.convert(value, kind, dec_hook=_decode)
    _complete(made)
    return made


_prepared: set[type] = set()
_preparing = threading.Lock()


def _prepare(kind: type) -> None:
    """Let msgspec inspect ``kind``, and the types in it, once and in one thread.

    It does so at the first use, and caches the result on the classes, where another thread must not
    find it incomplete. Cells of a run are read by several threads.
    """
    if kind not in _prepared:
        with _preparing:
            msgspec.json.Decoder(kind, dec_hook=_decode)
            _prepared.add(kind)


def _complete(value: Any) -> None:
    """Set the default values of the dataclasses in ``value`` on the instances.

    msgspec leaves them to the class, and does not serialise what an instance does not have itself.
    """
    if dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            vars(value).setdefault(each.name, getattr(value, each.name))
            _complete(getattr(value, each.name))
    elif isinstance(value, dict):
        for each in value.values():
            _complete(each)
    elif isinstance(value, tuple | list):
        for each in value:
            _complete(each)


def _encode(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def _decode(kind: type, value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, str):
        return kind(value)
    raise NotImplementedError(f"no {kind.__name__} from JSON")


def _plain(value: Any) -> Any:
    """``value`` without lone surrogates, which file names may contain but UTF-8 cannot encode."""
    match value:
        case str() if not value.isascii():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
