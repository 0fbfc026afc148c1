"""Memories of what comes again and again. They are bounded: one that is full forgets everything,
since what is ordinary comes again at once.

Threads may share them: each look-up, each store and each ``clear`` is one step of a dictionary or
a set. That two threads may both find room for one more, or one no longer find what it has just
looked for, costs a check.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Generic, TypeVar

    K = TypeVar("K")
    V = TypeVar("V")
else:
    # Parameters for type checkers alone.
    Generic, K, V = {(None, None): object}, None, None


_RECENT = 1024


class Cache(Generic[K, V]):
    """At most ``most`` entries, by key.

    Where not everything is worth an entry, :meth:`repeats` finds what is: it has come before. What
    has come once leaves no more than its hash.
    """

    __slots__ = ("_recent", "entries", "get", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.entries: dict[K, V] = {}
        """To be read; :meth:`store` keeps the bound."""
        self.get: Callable[[K], V | None] = self.entries.get
        """The value of a key, or None. In C, for it is on the hot path."""
        self._recent: list[int] = []
        """Hashes of keys that came lately, each in the place that it determines."""

    def store(self, key: K, value: V) -> None:
        """Remember a value."""
        if len(self.entries) >= self.most:
            self.entries.clear()
        self.entries[key] = value

    def repeats(self, key: K) -> bool:
        """Whether a key came lately, so that its value is worth a :meth:`store`.

        Raises ``TypeError`` for a key that has no hash.
        """
        mark, recent = hash(key), self._recent
        if not recent:
            recent += [-1] * _RECENT  # which is no hash
        place = mark % _RECENT
        known = recent[place] == mark
        recent[place] = mark
        return known
