"""Frozen records, where ``dataclasses`` would do but for what they cost.

Importing them brings ``inspect``, ``ast`` and ``dis`` along, and every class that they make has
its methods compiled at the start: 2 MiB in each worker. Type checkers see no difference (PEP 681).
"""

from __future__ import annotations

from typing import Any, Self, dataclass_transform


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of a class whose annotated attributes are its fields, those of its bases first.

    Each is given by name; one that has a value in the class may be left out. Raises ``TypeError``
    for a field that is missing or unknown, ``AttributeError`` for an attempt to change one.
    """

    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        # A dictionary as an ordered set: a field that is declared again keeps its place.
        bases = [each for each in reversed(cls.__mro__) if Record in each.__mro__[1:]]
        cls._fields = tuple(dict.fromkeys(name for each in bases for name in each.__annotations__))

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        if unknown := values.keys() - set(cls._fields):
            raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
        for name in cls._fields:
            if name not in values and not hasattr(cls, name):
                raise TypeError(f"{cls.__name__} needs {name}")
            object.__setattr__(self, name, values.get(name, getattr(cls, name, None)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot change {name!r}: {type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot remove {name!r}: {type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({told})"

    def replace(self, **changes: Any) -> Self:
        """A new record, with other values for some fields."""
        return type(self)(**{**vars(self), **changes})
