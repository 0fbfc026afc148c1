"""The one serialiser: values of :mod:`wsgi_matrix.model` ↔ JSON, by msgspec.

What a dataclass has is what is written, so that no field can be forgotten in one place of several.
Octets are base64 (RFC 4648 section 4), for JSON has no other place for them.
"""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

DecodeError = msgspec.MsgspecError
"""Raised for what is no JSON, or not of the type that is wanted; the text says what and where."""


def builtins(value: Any) -> Any:
    """``value`` as JSON has it: dicts, lists, strings, numbers."""
    return _plain(msgspec.to_builtins(value, enc_hook=_encode))


def dumps(value: Any) -> str:
    """JSON as we write it: readable, and the same for the same value."""
    text: bytes = msgspec.json.format(msgspec.json.encode(builtins(value)), indent=2)
    return text.decode() + "\n"


def loads(text: bytes | str) -> Any:
    """JSON as dicts, lists, strings and numbers. Raises :data:`DecodeError`."""
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise DecodeError("it is nested too deeply") from None


def convert(value: Any, kind: type[T]) -> T:
    """The ``kind`` behind what :func:`builtins` or :func:`loads` gave.

    Raises :data:`DecodeError`. What ``kind`` has a default for may be missing: an older version
    wrote it. What ``kind`` does not have is passed over.
    """
    _prepare(kind)
    made: T = msgspec.convert(value, kind, dec_hook=_decode)
    _complete(made)
    return made


_prepared: set[type] = set()
_preparing = threading.Lock()


def _prepare(kind: type) -> None:
    """Let msgspec look at ``kind``, and at what it is made of, once and in one thread.

    It does so at the first use, and keeps what it finds at the classes, where another thread must
    not meet it half-made. Cells of a run are read by several threads.
    """
    if kind not in _prepared:
        with _preparing:
            msgspec.json.Decoder(kind, dec_hook=_decode)
            _prepared.add(kind)


def _complete(value: Any) -> None:
    """Give the dataclasses in ``value`` the defaults that were taken, as their own.

    msgspec leaves them to the class, and does not write down what an object has not of its own.
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
    """``value`` without lone surrogates, which names of files may bring and UTF-8 cannot say."""
    match value:
        case str() if not value.isascii():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
