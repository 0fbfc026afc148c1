"""The subset of JSONPath (RFC 9535) that names members: ``$.a.b``, ``$['a b']``, ``$.list[0].id``,
``$.list[*].id`` and ``$..id`` (at any depth). No filters, no slices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Step = str | int | None
"""A member's name, an index, or any."""

SEGMENT = re.compile(
    r"(?P<deep>\.\.)(?=[\w\[*])|\.?(?P<name>[\w-]+)|\[(?P<index>\d+)\]|\.?(?P<any>\*)|\[\*\]"
    r"|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]"
)
Path = list[tuple[bool, Step]]
"""Whether at any depth, and the step."""


def parse(text: str) -> Path:
    """Parse a path. Raises ``ValueError`` with what was expected."""
    if not text.startswith("$"):
        raise ValueError(f"a path such as $.user.id, not {text!r}")
    path: Path = []
    at, deep = 1, False
    while at < len(text):
        found = SEGMENT.match(text, at)
        if not found or (deep and found["deep"]):
            raise ValueError(f"a path such as $.user.id, not {text!r} (see {text[at:]!r})")
        at = found.end()
        if found["deep"]:
            deep = True
            continue
        named = next((found[k] for k in ("name", "single", "double") if found[k] is not None), None)
        step: Step = int(found["index"]) if found["index"] else named
        path.append((deep, step))
        deep = False
    if deep:
        raise ValueError(f"a name after .. in {text!r}")
    return path


def find(value: Any, path: Path) -> Iterator[Any]:
    """Every value that ``path`` matches."""
    found: list[Any] = []

    def take(each: Any) -> Any:
        found.append(each)
        return each

    change(value, path, take)
    yield from found


def change(value: Any, path: Path, to: Callable[[Any], Any]) -> Any:
    """A copy of ``value`` with ``to(x)`` for every ``x`` that ``path`` matches."""
    if not path:
        return to(value)
    (deep, step), rest = path[0], path[1:]
    if isinstance(value, dict):
        return {key: _member(each, key, deep, step, path, rest, to) for key, each in value.items()}
    if isinstance(value, list):
        return [_member(each, i, deep, step, path, rest, to) for i, each in enumerate(value)]
    return value


def _member(
    each: Any, key: str | int, deep: bool, step: Step, path: Path, rest: Path,
    to: Callable[[Any], Any],
) -> Any:  # fmt: skip
    if step is None or key == step:
        each = change(each, rest, to)
    return change(each, path, to) if deep else each
