"""Locks for files that concurrent runs need: one run makes the file, the others wait for it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold ``path`` as a lock between threads and processes; the file is not removed.

    The kernel releases it when the holder dies, so there are no stale locks. Raises
    :class:`BlockingIOError` if it is held elsewhere and ``wait`` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold ``path`` as a shared lock, which excludes :func:`exclusive` ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
