"""Frozen records, where ``dataclasses`` would do but for what they cost.

Importing them brings ``inspect``, ``ast`` and ``dis`` along, and every class that they make has
its methods compiled at the start: 2 MiB in each worker. Type checkers see no difference (PEP 681).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_):
        return lambda cls: cls


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of a class whose annotated attributes are its fields, those of its bases first.

    Each is given by name; one that has a value in the class may be left out. Raises ``TypeError``
    for a field that is missing or unknown, ``AttributeError`` for an attempt to change one.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        found: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, Record):
                found |= base.__annotations__  # which are text, by the import from __future__
        cls._fields = tuple(name for name in found if not found[name].startswith("ClassVar"))

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
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def replace(self, **changes: Any) -> Self:
        """A new record, with other values for some fields."""
        if unknown := changes.keys() - vars(self).keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        new = object.__new__(type(self))
        vars(new).update(vars(self), **changes)
        return new

    def bare(self) -> Self:
        """The same values in a record that holds on to nothing else, not even to its class."""
        new: Any = object.__new__(Record)
        vars(new).update(vars(self))
        return new  # type: ignore[no-any-return]  # it has the same fields
