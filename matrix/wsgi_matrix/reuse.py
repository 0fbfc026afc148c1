"""Results of cells that can be taken again: ``--reuse``.

    build/matrix/cells/<cell>.json

A result is kept with a key: a digest of all that it follows from. Only a cell with the same key is
unchanged. What is kept is the result of the cell by itself; the comparison over cells and what
``matrix.toml`` says of known quirks are made anew in each run.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

from wsgi_matrix.engines import Engine
from wsgi_matrix.files import write_whole
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import CaseResult, CellResult, Image, Level, Observed, Outcome
from wsgi_matrix.model.wire import Exchange, Line, Transcript
from wsgi_matrix.settings import Settings
from wsgi_matrix.suites import Suite

SCHEMA = "wsgi-matrix/cell/1"


class Store:
    """What earlier runs found, below the folder ``build``."""

    def __init__(self, build: Path, *inputs: Path) -> None:
        """``inputs``: files that suites are read from; results do not outlive a change in them."""
        self._folder = build / "matrix" / "cells"
        self._inputs = hashlib.sha256()
        for path in inputs:
            self._inputs.update(path.read_bytes())

    def key(self, engine: Engine, cell: Cell, suite: Suite, settings: Settings) -> str:
        """Digest of all that the result of ``cell`` follows from.

        Image and bundle by their content, limits, command line, what is sent, how it is judged (the
        source of this package), and the engine. The seconds that a cell may take are among it.
        """
        server = cell.server
        parts = (
            engine.identity(cell),
            engine.version,
            (server.args, server.workers, server.threads, server.stop_signal, server.ready),
            (cell.app.target, cell.app.framework, _around(cell)),
            cell.limits,
            (suite.name, dict(suite.requests), suite.talks, suite.burst),
            (suite.sessions, suite.largest),
            (suite.repeat or settings.repeat, suite.deadline or settings.deadline),
            (suite.patience, settings.grace),
            [(case.id, case.level, case.says, case.cite) for case in suite.cases],
            _own_source(),
            self._inputs.hexdigest(),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def put(self, result: CellResult, key: str, started: str) -> None:
        """Keep ``result`` of a run that began at ``started``, if it judged its cell."""
        if result.outcome in (Outcome.ERROR, Outcome.SKIP):
            return
        value = {"schema": SCHEMA, "key": key, "started": started, "result": _to_json(result)}
        write_whole(self._file(result.cell), json.dumps(value))

    def find(self, cell: Cell, key: str) -> CellResult | None:
        """The result of an unchanged ``cell``; ``None`` where there is none that can be read."""
        try:
            value = json.loads(self._file(cell).read_text(encoding="utf-8"))
            if value["schema"] != SCHEMA or value["key"] != key:
                return None
            return _from_json(value["result"], cell, str(value["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _file(self, cell: Cell) -> Path:
        return self._folder / f"{cell.id}.json"


@functools.cache
def _around(cell: Cell) -> tuple[object, ...]:
    """What the app has around it. One with a container beside it is never the same again: its image
    has a name that may be another's tomorrow.
    """
    around = cell.app.surroundings
    secret = [path.read_bytes() for _, path in around.secrets]
    return (around, secret, secrets.token_hex(8) if around.beside else "")


def _own_source() -> str:
    digest = hashlib.sha256()
    top = Path(__file__).parent
    for path in sorted(top.rglob("*.py")):
        digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _to_json(result: CellResult) -> dict[str, Any]:
    return {
        "outcome": result.outcome.value,
        "checks": [dataclasses.asdict(check) for check in result.checks],
        "seconds": result.seconds,
        "image": result.image and dataclasses.asdict(result.image),
        "framework_version": result.framework_version,
        "observed": result.observed and dataclasses.asdict(result.observed),
        "exchanges": {name: _octets_out(each) for name, each in result.exchanges.items()},
        "transcripts": {
            name: [_octets_out(line) for line in each.lines]
            for name, each in result.transcripts.items()
        },
        "ready_seconds": result.ready_seconds,
        "engine_seconds": result.engine_seconds,
        "log": result.log,
    }


def _from_json(value: dict[str, Any], cell: Cell, started: str) -> CellResult:
    return CellResult(
        cell=cell,
        outcome=Outcome(value["outcome"]),
        checks=tuple(
            CaseResult(
                **{
                    **check,
                    "level": Level(check["level"]),
                    "outcome": Outcome(check["outcome"]),
                    "evidence": tuple(check["evidence"]),
                }
            )
            for check in value["checks"]
        ),
        seconds=value["seconds"],
        image=value["image"] and Image(**value["image"]),
        framework_version=value["framework_version"],
        observed=value["observed"] and Observed(**value["observed"]),
        exchanges={name: Exchange(**_octets_in(each)) for name, each in value["exchanges"].items()},
        transcripts={
            name: Transcript(name=name, lines=tuple(Line(**_octets_in(line)) for line in lines))
            for name, lines in value["transcripts"].items()
        },
        ready_seconds=value["ready_seconds"],
        engine_seconds=value["engine_seconds"],
        log=value["log"],
        reused=started,
    )


def _octets_out(value: Exchange | Line) -> dict[str, Any]:
    """The fields, octets in base64: JSON has no other place for them."""
    return {
        name: {"base64": base64.b64encode(each).decode("ascii")}
        if isinstance(each, bytes)
        else each
        for name, each in dataclasses.asdict(value).items()
    }


def _octets_in(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: base64.b64decode(each["base64"]) if isinstance(each, dict) else each
        for name, each in value.items()
    }
