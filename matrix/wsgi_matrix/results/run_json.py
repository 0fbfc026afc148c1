"""``results.json``: the one result file, versioned; its schema lies in ``schema/``.

:mod:`wsgi_matrix.results.saved` reads it. What it says of a run and of a cell is declared
here once, for both ways; a field that the model has by the same name is copied by it.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from wsgi_matrix import __version__
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.results import (
    CaseResult,
    CellResult,
    Image,
    Load,
    Observed,
    Outcome,
    Partial,
    Run,
)
from wsgi_matrix.model.verdict import counts, exit_code
from wsgi_matrix.model.wire import Exchange, Transcript, WireEvent
from wsgi_matrix.results import codec

SCHEMA = "wsgi-matrix/results/3"
OLDER = ("wsgi-matrix/results/2",)
"""Versions that can be read too: what they lack has a default."""
LARGEST_DATA = 4096
"""Octets of one line of evidence that are kept; ``octets`` says how many there were."""

dumps = codec.dumps


@dataclass(frozen=True, kw_only=True)
class SavedLine:
    """A line of evidence."""

    at: float
    on: str
    what: str
    octets: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class SavedCell:
    """A cell. Servers and apps have names only, and evidence is as long as it was kept."""

    id: str
    suite: str
    server: str
    app: str
    framework_version: str
    python: str
    limits: Limits
    limits_observed: Observed | None
    engine: str
    image: Image | None
    seconds: float
    ready_seconds: float | None
    memory: int | None
    outcome: Outcome
    checks: tuple[CaseResult, ...]
    evidence: dict[str, tuple[SavedLine, ...]]
    log: str
    load: Load | None = None
    engine_seconds: float
    reused: str
    kept: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """What is known of the run as a whole."""

    tool_version: str
    suites: tuple[str, ...]
    engine: str
    engine_version: str
    where: str
    kernel: str
    started: str
    seconds: float
    phases: dict[str, float]
    measured: dict[str, float]
    notes: tuple[str, ...]
    partial: bool
    partial_reason: Partial
    counts: dict[str, int]
    exit_code: int


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The whole of the file."""

    run: SavedRun
    cells: tuple[SavedCell, ...]
    schema: str = field(default=SCHEMA)


def schema() -> dict[str, Any]:
    """The JSON Schema of ``results.json``."""
    file = resources.files("wsgi_matrix") / "schema" / "results.schema.json"
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value


def results(run: Run) -> dict[str, Any]:
    """The whole of ``results.json``."""
    saved = SavedRun(
        **_shared(run, SavedRun, without=("partial",)),
        tool_version=__version__,
        partial=bool(run.partial),
        partial_reason=run.partial,
        counts=counts(run),
        exit_code=int(exit_code(run)),
    )
    cells = tuple(_cell(run, result) for result in run.cells)
    return _value(Saved(run=saved, cells=cells))


def of_today(value: dict[str, Any]) -> dict[str, Any]:
    """A value of ``results.json`` of this version or an older one, with all that this one has.

    Raises :data:`.codec.DecodeError` where ``value`` is not what the schema says.
    """
    return _value(dataclasses.replace(codec.convert(value, Saved), schema=SCHEMA))


def _value(saved: Saved) -> dict[str, Any]:
    value: dict[str, Any] = codec.builtins(saved)
    return {key: value[key] for key in ("schema", "run", "cells")}


def run_of(value: dict[str, Any]) -> Run:
    """The run behind a value of ``results.json``, as far as that tells.

    Raises :data:`.codec.DecodeError` where ``value`` is not what the schema says.
    """
    saved = codec.convert(value, Saved)
    return Run(
        **_shared(saved.run, Run, without=("partial",)),
        partial=saved.run.partial_reason,
        cells=tuple(_result(cell) for cell in saved.cells),
    )


def _shared(value: Any, kind: type, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields that ``value`` has by the names of those of ``kind``, to the millisecond."""
    there = {each.name for each in dataclasses.fields(value)}
    names = [each.name for each in dataclasses.fields(kind) if each.name in there]
    return {name: _rounded(getattr(value, name)) for name in names if name not in without}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def _cell(run: Run, result: CellResult) -> SavedCell:
    cell = result.cell
    return SavedCell(
        **_shared(result, SavedCell),
        id=cell.id,
        suite=cell.suite,
        server=cell.server.name,
        app=cell.app.name,
        python=cell.python.version,
        limits=cell.limits,
        limits_observed=result.observed,
        engine=run.engine,
        evidence={
            transcript.name: tuple(_saved_line(line) for line in transcript.events)
            for transcript in transcripts(result)
        },
    )


def _result(saved: SavedCell) -> CellResult:
    cell = Cell(
        server=Server(name=saved.server, context=Path(), args=()),
        app=App(name=saved.app, path=Path()),
        limits=saved.limits,
        python=Python(version=saved.python),
        suite=saved.suite,
    )
    return CellResult(
        **_shared(saved, CellResult),
        cell=cell,
        observed=saved.limits_observed,
        transcripts={
            name: Transcript(name=name, events=tuple(_line(line) for line in lines))
            for name, lines in saved.evidence.items()
        },
    )


def _saved_line(line: WireEvent) -> SavedLine:
    return SavedLine(
        at=round(line.at, 4),
        on=line.on,
        what=line.what,
        octets=len(line.data) + line.cut,
        data=line.data[:LARGEST_DATA],
    )


def _line(saved: SavedLine) -> WireEvent:
    cut = saved.octets - len(saved.data)
    return WireEvent(at=saved.at, on=saved.on, what=saved.what, data=saved.data, cut=cut)


def transcripts(result: CellResult) -> list[Transcript]:
    """Everything that was on the wire in a cell, exchanges and scenarios alike, in one form."""
    single = [_transcript(name, each) for name, each in result.exchanges.items()]
    return [*single, *result.transcripts.values()]


def _transcript(name: str, exchange: Exchange) -> Transcript:
    lines = [WireEvent(at=0.0, on="a", what="sent", data=exchange.request)]
    if exchange.response:
        lines.append(
            WireEvent(at=exchange.seconds, on="a", what="received", data=exchange.response)
        )
    if exchange.end in ("fin", "reset"):
        lines.append(WireEvent(at=exchange.seconds, on="a", what=exchange.end))
    if exchange.error:
        error = exchange.error.encode()
        lines.append(WireEvent(at=exchange.seconds, on="a", what="error", data=error))
    return Transcript(name=name, events=tuple(lines))
