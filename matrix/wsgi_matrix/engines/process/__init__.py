"""The engine ``process``: cells as processes on this host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsgi_matrix.engines.api import Engine, EngineType


def _make(build: Path, *, keep: bool) -> Engine:
    # Imported late: a report that only needs TYPE must not wait for it.
    from wsgi_matrix.engines.process.engine import ProcessEngine  # noqa: PLC0415

    return ProcessEngine(build, keep=keep)


def _directory(kept: Sequence[str]) -> str:
    return kept[0]


TYPE = EngineType(
    name="process",
    cells="processes",
    containers=False,
    make=_make,
    look=_directory,
    inspect=lambda kept: f"{_directory(kept)}\n",
)
