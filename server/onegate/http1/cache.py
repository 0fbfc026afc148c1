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


class Cache(Generic[K, V]):
    """At most ``most`` entries, by key.

    Where not everything is worth an entry, :meth:`repeats` finds what is: it has come before. What
    has come once leaves no more than its hash.
    """

    __slots__ = ("entries", "get", "most", "seen_once")

    def __init__(self, most: int) -> None:
        self.most = most
        self.entries: dict[K, V] = {}
        """To be read; :meth:`store` keeps the bound."""
        self.get: Callable[[K], V | None] = self.entries.get
        """The value of a key, or None. In C, for it is on the hot path."""
        self.seen_once: set[int] = set()
        """Hashes of keys, at most four times as many."""

    def store(self, key: K, value: V) -> None:
        """Remember a value."""
        if len(self.entries) >= self.most:
            self.entries.clear()
        self.entries[key] = value

    def repeats(self, key: K) -> bool:
        """Whether a key has come before, so that its value is worth a :meth:`store`.

        Raises ``TypeError`` for a key that has no hash.
        """
        mark = hash(key)
        if mark in self.seen_once:
            return True
        if len(self.seen_once) >= 4 * self.most:
            self.seen_once.clear()
        self.seen_once.add(mark)
        return False
