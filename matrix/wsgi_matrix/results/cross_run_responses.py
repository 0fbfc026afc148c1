"""Evidence files: what a run observed on the wire, for comparison with later runs.

``tox -e flask,django,pyramid`` makes three runs, perhaps in parallel. Each saves its responses
under ``build/matrix/evidence/``; the last one compares all that ran the same images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from wsgi_matrix.model.results import CellResult, Outcome, Run
from wsgi_matrix.results import codec
from wsgi_matrix.suites import registry
from wsgi_matrix.util.atomic_write import write_whole

SCHEMA = "wsgi-matrix/evidence/2"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """An evidence file."""

    schema: str
    engine: str
    started: str
    cells: tuple[CellResult, ...]


def comparable(result: CellResult) -> bool:
    """Whether its responses are compared with those of other runs."""
    return registry.types()[result.cell.suite].cross_run


def write(build: Path, run: Run) -> Path | None:
    """Write the responses of ``run``; return ``None`` if it has none.

    There is one file for each set of cells, which a later run of the same cells replaces.
    """
    cells = [
        result for result in run.cells if comparable(result) and result.image and result.exchanges
    ]
    if not cells:
        return None
    names = "\n".join([run.engine, *(result.cell.id for result in cells)])
    name = hashlib.sha256(names.encode()).hexdigest()[:16]
    apps = "-".join(dict.fromkeys(result.cell.app.name for result in cells))
    path = build / "matrix" / "evidence" / f"{run.engine}-{apps[:60]}-{name}.json"
    found = Evidence(
        schema=SCHEMA,
        engine=run.engine,
        started=run.started,
        cells=tuple(replace(each, checks=(), transcripts={}, log="") for each in cells),
    )
    write_whole(path, codec.dumps(found))
    return path


def read_others(build: Path, run: Run) -> tuple[CellResult, ...]:
    """Cells of other runs with one of the images of ``run``, the newest of each id.

    They only contain what a comparison needs. Cells that are in ``run`` are left out. A file that
    cannot be read is ignored.
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
        value = codec.loads(path.read_bytes())
        if value["schema"] != SCHEMA or value["engine"] != engine:
            return []
        found = codec.convert(value, Evidence)
    except (OSError, ValueError, KeyError, TypeError, codec.DecodeError):
        return []
    return [(found.started, replace(each, outcome=Outcome.PASS)) for each in found.cells]
