"""Writes files atomically. Errors name the target, never a temporary file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, never a partial one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _errors_name(path):
        _replace(path, text)


def new_directory(parent: Path, prefix: str) -> Path:
    """Make a unique directory in ``parent``, accessible to this user only."""
    parent.mkdir(parents=True, exist_ok=True)
    with _errors_name(parent):
        return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Make an ``OSError`` name ``path``."""
    try:
        yield
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, str(path)) from problem
