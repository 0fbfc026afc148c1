"""Saved results of cells, for ``--reuse``.

    build/matrix/cells/<cell>.json

A result is saved with a key: a digest of everything that it depends on. A cell with the same key is
unchanged. The saved result is that of the cell by itself; the comparison across cells and known
failures in ``matrix.toml`` are evaluated again in each run.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Settings
from wsgi_matrix.model.results import CellResult
from wsgi_matrix.results import codec
from wsgi_matrix.suites.api import Suite
from wsgi_matrix.util.atomic_write import write_whole

SCHEMA = "wsgi-matrix/cell/2"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file of the store."""

    schema: str
    key: str
    started: str
    result: CellResult


class Store:
    """Results of earlier runs, in the directory ``build``."""

    def __init__(self, build: Path) -> None:
        self._folder = build / "matrix" / "cells"

    def key(self, engine: Engine, cell: Cell, suite: Suite, settings: Settings) -> str:
        """Digest of everything that the result of ``cell`` depends on.

        That is the content of image and bundle, limits, command line, what is sent, how it is
        checked (the source of this package), deadlines, and the engine.
        """
        parts = (
            engine.identity(cell),
            engine.version,
            # Without its path, because image and bundle are included by their content.
            _fields(cell.server, "context", "process_path"),
            (cell.app.target, cell.app.framework, _app_environment(cell)),
            cell.limits,
            _fields(suite, "cases", "compare", "added", "sources", "skip_reason", "waits", "notes"),
            (suite.repeat or settings.repeat, suite.deadline or settings.deadline, settings.grace),
            [(case.id, case.level, case.says, case.cite) for case in suite.cases],
            _own_source(),
            [hashlib.sha256(path.read_bytes()).hexdigest() for path in suite.sources],
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def put(self, result: CellResult, key: str, started: str) -> None:
        """Save ``result`` of a run that started at ``started``, unless it is an error."""
        if outcome_semantics.unjudged(result.outcome) or not outcome_semantics.ran(result.outcome):
            return
        value = Stored(schema=SCHEMA, key=key, started=started, result=result)
        write_whole(self._file(result.cell), codec.dumps(value))

    def find(self, cell: Cell, key: str) -> CellResult | None:
        """The saved result of an unchanged ``cell``; ``None`` if there is none that can be read."""
        try:
            value = codec.loads(self._file(cell).read_bytes())
            if value["schema"] != SCHEMA or value["key"] != key:
                return None
            stored = codec.convert(value, Stored)
        except (OSError, ValueError, KeyError, TypeError, codec.DecodeError):
            return None
        return replace(stored.result, cell=cell, reused=stored.started, kept=())

    def _file(self, cell: Cell) -> Path:
        return self._folder / f"{cell.id}.json"


@functools.cache
def _app_environment(cell: Cell) -> tuple[object, ...]:
    """The environment of the app. One with services never has the same key again, because the names
    of their images may refer to other images later.
    """
    needs = cell.app.needs
    secret = [path.read_bytes() for _, path in needs.secrets]
    return (needs, secret, secrets.token_hex(8) if needs.services else "")


def _fields(value: Any, *without: str) -> list[tuple[str, Any]]:
    """All fields of a dataclass except ``without``, so that no new field is forgotten."""
    names = [each.name for each in dataclasses.fields(value) if each.name not in without]
    return [(name, getattr(value, name)) for name in names]


def _own_source() -> str:
    digest = hashlib.sha256()
    top = Path(__file__).parents[1]
    for path in sorted(top.rglob("*.py")):
        digest.update(os.fsencode(path.relative_to(top)) + b"\0" + path.read_bytes())
    return digest.hexdigest()
