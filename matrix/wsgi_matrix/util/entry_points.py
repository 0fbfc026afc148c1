"""Objects that this package and other distributions provide by name, loaded when first used.

An entry names an object as ``module:object`` and imports nothing; see the packaging specification,
https://packaging.python.org/specifications/entry-points/.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from wsgi_matrix.errors import UserError

T = TypeVar("T")


def installed(group: str) -> tuple[EntryPoint, ...]:
    """The installed entries of ``group``, sorted by name."""
    return tuple(sorted(entry_points(group=group), key=lambda each: (each.name, origin(each))))


def origin(entry: EntryPoint) -> str:
    """``acme-matrix 1.2``: the distribution that ``entry`` comes from."""
    return "wsgi-matrix" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def title(entry: EntryPoint) -> str:
    """``acme-matrix 1.2: entry point "ping" of wsgi_matrix.suites (acme.ping:TYPE)``."""
    return f'{origin(entry)}: entry point "{entry.name}" of {entry.group} ({entry.value})'


def load(entry: EntryPoint) -> Any:
    """The object of ``entry``.

    Raises :class:`~wsgi_matrix.errors.UserError`, which names the distribution, if it cannot be
    loaded.
    """
    try:
        return entry.load()
    except Exception as problem:  # whatever another distribution's code raises
        reason = f"{type(problem).__name__}: {problem}".splitlines()[0]
        raise UserError(f"{title(entry)} cannot be loaded: {reason}") from problem


def sources(entry: EntryPoint) -> tuple[Path, ...]:
    """The Python files of a loaded entry's top-level package, or its module."""
    top = sys.modules[entry.module.partition(".")[0]]
    places = getattr(top, "__path__", None)
    if places is None:
        return (Path(str(top.__file__)),)
    return tuple(sorted(file for place in places for file in Path(place).rglob("*.py")))


class Registry(Mapping[str, T]):
    """The objects of a group by name, those of this package first.

    Iterating over the names loads nothing. Looking up a name loads its object, and raises
    :class:`~wsgi_matrix.errors.UserError`, which names the distribution, if that fails, if the
    object has the wrong type, or if two distributions have the same name.
    """

    def __init__(self, group: str, kind: type[T], built_in: Mapping[str, str]) -> None:
        """``kind``: has a field ``name``. ``built_in``: names and ``module:object``."""
        self.group = group
        self._kind = kind
        self._built_in = built_in
        self._loaded: dict[str, T] = {}

    @functools.cached_property
    def entries(self) -> Mapping[str, EntryPoint]:
        """By name; one of two with the same name."""
        others = {entry.name: entry for entry in installed(self.group)}
        return {
            name: EntryPoint(name, value, self.group) for name, value in self._built_in.items()
        } | {name: entry for name, entry in others.items() if name not in self._built_in}

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._load(self.entries[name])
        return self._loaded[name]

    def is_built_in(self, name: str) -> bool:
        """Whether ``name`` belongs to this package."""
        return name in self._built_in

    def _load(self, entry: EntryPoint) -> T:
        for other in installed(self.group):
            if other.name == entry.name and origin(other) != origin(entry):
                raise UserError(f"{title(other)}: {origin(entry)} also has this name")
        found = load(entry)
        if not isinstance(found, self._kind):
            raise UserError(f"{title(entry)}: expected a {self._kind.__name__}, got {found!r}")
        name = getattr(found, "name", None)
        if name != entry.name:
            raise UserError(f"{title(entry)}: its own name is {name!r}; both must be the same")
        return found
