"""``results.json``: the only result file, versioned; its schema is in ``schema/``.

:mod:`wsgi_matrix.results.results_reader` reads it. The data of a run and of a cell is declared here
once, for reading and writing; fields with the same name in the model are copied automatically.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from wsgi_matrix import __version__
from wsgi_matrix.errors import Exit
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.outcome_semantics import counts, exit_code
from wsgi_matrix.model.results import (
    CaseResult,
    CellResult,
    Elapsed,
    Image,
    Load,
    Observed,
    Outcome,
    Partial,
    Positive,
    Run,
)
from wsgi_matrix.model.wire import Exchange, Transcript, WireEvent
from wsgi_matrix.results import codec
from wsgi_matrix.util import json_schema
from wsgi_matrix.util.schema_types import doc, stated

SCHEMA = "wsgi-matrix/results/3"
OLDER = ("wsgi-matrix/results/2",)
"""Older versions that can be read: fields that they lack have defaults."""
LARGEST_DATA = 4096
"""Octets of one line of evidence that are saved; ``octets`` says how many there were."""

dumps = codec.dumps


STARTED = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"
EVENTS = (
    "connected", "sent", "received", "shut", "fin", "reset", "closed", "timeout", "refused",
    "error", "gone",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SavedLine:
    """A line of evidence: one event on a connection."""

    at: Annotated[Elapsed, doc("Seconds since the first line.")]
    on: Annotated[str, doc("The connection.")]
    what: Annotated[
        str,
        stated(enum=EVENTS),
        doc(
            "shut and closed: by the probe; fin and reset: by the server; timeout: a step received "
            "less than it waited for; refused: by the port; gone: the server."
        ),
    ]
    octets: Annotated[int, stated(minimum=0), doc("Total number of octets.")]
    data: Annotated[bytes, doc(f"The first {LARGEST_DATA} octets.")]


@dataclass(frozen=True, kw_only=True)
class SavedCell:
    """A cell. Servers and apps are saved by name only; long evidence is cut."""

    id: Annotated[
        str,
        stated(pattern="^[a-z0-9_.]+-[a-z0-9_.]+-[a-z0-9_.]+-py3[0-9]+(-[a-z0-9_.]+)?$"),
        doc("SERVER-APP-LIMITS-PYTHON, and -SUITE unless it is hello or the app's name."),
    ]
    suite: Annotated[str, doc("The suite that the cell belongs to.")]
    server: Annotated[str, doc("The server's name.")]
    app: Annotated[str, doc("The app's name.")]
    framework_version: Annotated[
        str, doc("As installed in the bundle; empty for an app without a framework.")
    ]
    python: Annotated[str, stated(pattern=r"^3\.[0-9]+$"), doc("The version of Python.")]
    limits: Annotated[Limits, doc("The requested limits.")]
    limits_observed: Annotated[
        Observed | None, doc("Limits read back inside the cell; null: it did not start.")
    ]
    engine: Annotated[str, doc("The engine that ran it: docker, process.")]
    image: Annotated[Image | None, doc("The image that it ran; null: it was not prepared.")]
    seconds: Annotated[Elapsed, doc("Seconds from its start to its end.")]
    ready_seconds: Annotated[
        Elapsed | None,
        doc("Seconds from the start of the server until its port accepted; null: never."),
    ]
    memory: Annotated[
        Positive | None,
        doc(
            "Octets of anonymous memory of all its processes after the last request; null: unknown."
        ),
    ]
    outcome: Annotated[Outcome, doc("The worst of its checks.")]
    checks: Annotated[tuple[CaseResult, ...], stated(minItems=1), doc("The checks of the cell.")]
    evidence: Annotated[
        dict[str, tuple[SavedLine, ...]],
        doc("What was on the wire, by the names that checks refer to."),
    ]
    log: Annotated[str, doc("The last lines of the server's log.")]
    load: Annotated[
        Load | None, doc("How busy the host was meanwhile; null: the cell did not run.")
    ] = None
    engine_seconds: Annotated[
        Elapsed,
        doc("The part of seconds spent waiting for the engine, not for server or probe."),
    ]
    reused: Annotated[
        str,
        stated(pattern=f"^({STARTED})?$"),
        doc("Start of the run whose result was reused; empty: it was not reused."),
    ]
    kept: Annotated[
        tuple[str, ...],
        doc("What was preserved of the cell (--keep): ids of containers, or a directory."),
    ]


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """The run as a whole."""

    tool_version: Annotated[str, doc("The version of wsgi-matrix.")]
    suites: Annotated[tuple[str, ...], doc("The suites that ran.")]
    engine: Annotated[str, doc("The engine: docker, process.")]
    engine_version: Annotated[str, doc("The engine's version.")]
    where: Annotated[str, doc("What the cells were, in words.")]
    kernel: Annotated[str, doc("The kernel's release.")]
    started: Annotated[str, stated(pattern=f"^{STARTED}$"), doc("RFC 3339, UTC.")]
    seconds: Annotated[Elapsed, doc("Duration of the run in seconds.")]
    phases: Annotated[dict[str, Elapsed], doc("Seconds by phase.")]
    measured: Annotated[
        dict[str, Elapsed],
        doc(
            "Seconds of: the median cell, its waiting for the engine, an empty container, the "
            "app's import."
        ),
    ]
    notes: Annotated[tuple[str, ...], doc("Notes on the results.")]
    partial: Annotated[bool, doc("Whether cells are missing.")]
    partial_reason: Annotated[Partial, doc("Why cells are missing.")]
    counts: Annotated[
        dict[str, Positive],
        stated(propertyNames={"enum": [*Outcome]}),
        doc("Cells by outcome."),
    ]
    exit_code: Annotated[Exit, doc("The exit status of the command.")]


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The file as a whole."""

    run: Annotated[SavedRun, doc("The run as a whole.")]
    cells: Annotated[tuple[SavedCell, ...], doc("The cells, in the order of the plan.")]
    schema: Annotated[str, stated(const=SCHEMA), doc("The version of this schema.")] = field(
        default=SCHEMA
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of ``results.json``."""
    return json_schema.of_value(Saved, "results.json of wsgi-matrix")


def results(run: Run) -> dict[str, Any]:
    """The value of ``results.json``."""
    saved = SavedRun(
        **_shared(run, SavedRun, without=("partial",)),
        tool_version=__version__,
        partial=bool(run.partial),
        partial_reason=run.partial,
        counts=counts(run),
        exit_code=exit_code(run),
    )
    cells = tuple(_cell(run, result) for result in run.cells)
    return _value(Saved(run=saved, cells=cells))


def of_today(value: dict[str, Any]) -> dict[str, Any]:
    """Upgrade a value of ``results.json`` of this version or an older one to this version.

    Raises :data:`.codec.DecodeError` if ``value`` does not conform to the schema.
    """
    return _value(dataclasses.replace(codec.convert(value, Saved), schema=SCHEMA))


def _value(saved: Saved) -> dict[str, Any]:
    value: dict[str, Any] = codec.builtins(saved)
    return {key: value[key] for key in ("schema", "run", "cells")}


def run_of(value: dict[str, Any]) -> Run:
    """The run of a value of ``results.json``, as far as it was saved.

    Raises :data:`.codec.DecodeError` if ``value`` does not conform to the schema.
    """
    saved = codec.convert(value, Saved)
    return Run(
        **_shared(saved.run, Run, without=("partial",)),
        partial=saved.run.partial_reason,
        cells=tuple(_result(cell) for cell in saved.cells),
    )


def _shared(value: Any, kind: type, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of ``value`` that ``kind`` has too, with times in whole milliseconds."""
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
    """Everything that was on the wire in a cell: exchanges and scenarios, in the same form."""
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
