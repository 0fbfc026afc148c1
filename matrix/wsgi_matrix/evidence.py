"""Evidence files: what a run saw on the wire, left for a later run to compare with.

``tox -e flask,django,pyramid`` makes three runs, perhaps at the same time. Each leaves its answers
under ``build/matrix/evidence/``; whoever comes last compares all that ran the same images.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wsgi_matrix.files import write_whole
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.results import CellResult, Image, Outcome, Run
from wsgi_matrix.reports import data
from wsgi_matrix.suites import HELLO

SCHEMA = "wsgi-matrix/evidence/1"


def write(build: Path, run: Run) -> Path | None:
    """Write the answers of ``run``; ``None`` if it has none.

    One file for one set of cells: a second run of the same cells replaces the first's.
    """
    cells = [
        result
        for result in run.cells
        if result.cell.suite == HELLO and result.image and result.exchanges
    ]
    if not cells:
        return None
    names = "\n".join([run.engine, *(result.cell.id for result in cells)])
    name = hashlib.sha256(names.encode()).hexdigest()[:16]
    apps = "-".join(dict.fromkeys(result.cell.app.name for result in cells))
    path = build / "matrix" / "evidence" / f"{run.engine}-{apps[:60]}-{name}.json"
    value = {
        "schema": SCHEMA,
        "engine": run.engine,
        "started": run.started,
        "cells": [_to_json(result) for result in cells],
    }
    write_whole(path, data.dumps(value))
    return path


def read_others(build: Path, run: Run) -> tuple[CellResult, ...]:
    """Cells of other runs that ran one of the images of ``run``, the newest of each id.

    Only what a comparison needs is in them. Cells that ``run`` has itself are left out. A file
    that cannot be read is none of ours to judge, and is passed over.
    """
    mine = {result.cell.id for result in run.cells}
    wanted = {result.image.id for result in run.cells if result.image}
    newest: dict[str, tuple[str, CellResult]] = {}
    for path in sorted((build / "matrix" / "evidence").glob("*.json")):
        for started, result in _read(path, run.engine):
            known = newest.get(result.cell.id)
            if result.cell.id in mine or result.image is None or result.image.id not in wanted:
                continue
            if known is None or known[0] < started:
                newest[result.cell.id] = (started, result)
    return tuple(result for _, result in newest.values())


def _read(path: Path, engine: str) -> Iterable[tuple[str, CellResult]]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA or value["engine"] != engine:
            return []
        return [(str(value["started"]), _from_json(cell)) for cell in value["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _to_json(result: CellResult) -> dict[str, Any]:
    cell, image = result.cell, result.image
    assert image is not None
    return {
        "server": cell.server.name,
        "app": cell.app.name,
        "framework": cell.app.framework,
        "limits": cell.limits.name,
        "python": cell.python.version,
        "framework_version": result.framework_version,
        "image": {"id": image.id, "server_layer": image.server_layer, "base": image.base},
        "exchanges": {
            name: data.exchange_to_json(exchange) for name, exchange in result.exchanges.items()
        },
    }


def _from_json(value: dict[str, Any]) -> CellResult:
    cell = Cell(
        server=Server(name=value["server"], context=Path(), args=()),
        app=App(name=value["app"], path=Path(), framework=value["framework"]),
        limits=Limits(name=value["limits"]),
        python=Python(version=value["python"]),
    )
    return CellResult(
        cell=cell,
        outcome=Outcome.PASS,
        checks=(),
        seconds=0.0,
        image=Image(**value["image"]),
        framework_version=value["framework_version"],
        exchanges={
            name: data.exchange_from_json(exchange) for name, exchange in value["exchanges"].items()
        },
    )
