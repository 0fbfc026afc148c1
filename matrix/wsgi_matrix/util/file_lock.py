"""Files that several runs make at the same time: one makes, the others wait and find it made."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold ``path`` as a lock, between threads and processes; it is left in place.

    The kernel lets go of it when the holder dies, so there are no stale locks. Raises
    :class:`BlockingIOError` if another holds it and we do not ``wait``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold ``path`` together with others who do, so that nobody holds it :func:`exclusive`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
