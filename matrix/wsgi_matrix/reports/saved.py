"""Reading ``results.json``: every report can be made again from a saved file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from wsgi_matrix.errors import UserError, suggestion
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.results import (
    CaseResult,
    CellResult,
    Image,
    Level,
    Observed,
    Outcome,
    Partial,
    Run,
)
from wsgi_matrix.model.wire import Line, Transcript
from wsgi_matrix.reports.data import SCHEMA, dumps

Value = dict[str, Any]

FAMILY = SCHEMA.rpartition("/")[0] + "/"


def read(path: Path) -> dict[str, Any]:
    """The value of the ``results.json`` at ``path``.

    Raises :class:`~wsgi_matrix.errors.UserError` for a file that cannot be read, that is none of
    ours, that has another version of the schema, or lacks what a report needs.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: No such file; `wsgi-matrix run` writes one") from None
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror or problem}") from None
    except ValueError as problem:
        raise UserError(
            f"{path}: not JSON ({problem}); name a results.json that `wsgi-matrix run` wrote"
        ) from None
    found = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(found, str) or not found.startswith(FAMILY):
        raise UserError(f"{path}: not a results.json of wsgi-matrix (its schema: {found!r})")
    if found != SCHEMA:
        raise UserError(
            f"{path}: schema {found}, and this wsgi-matrix reads {SCHEMA}; "
            "use the version that wrote it, or run again"
        )
    try:
        run_of(value)
        dumps(value).encode()
    except KeyError as problem:
        raise UserError(f"{path}: damaged: {problem.args[0]!r} is missing") from None
    except (AttributeError, TypeError, ValueError) as problem:
        raise UserError(f"{path}: damaged: {problem}") from None
    return value  # type: ignore[no-any-return] # a dict, or it had no "schema"


def path(build: Path) -> Path:
    """Where a run with this folder ``build`` leaves its results."""
    return build / "matrix" / "results.json"


def cell_of(value: Value, name: str) -> Value:
    """The cell with the id ``name``. Raises :class:`UserError` with a suggestion."""
    cells = {cell["id"]: cell for cell in value["cells"]}
    if name not in cells:
        raise UserError(f'no cell "{name}" in these results{suggestion(name, cells)}')
    found: Value = cells[name]
    return found


def octets(transcript: list[Value], on: str, what: str) -> bytes:
    """What was ``sent`` or ``received`` on a connection of ``transcript``, as far as it is kept."""
    return b"".join(
        base64.b64decode(line["data"])
        for line in transcript
        if line["on"] == on and line["what"] == what
    )


def run_of(value: dict[str, Any]) -> Run:
    """The run behind a value of ``results.json``, as far as that tells.

    Servers and apps have names only, and evidence is as long as it was kept. Raises ``KeyError``,
    ``TypeError`` or ``ValueError`` where ``value`` is not what the schema says.
    """
    run = value["run"]
    return Run(
        engine=run["engine"],
        engine_version=run["engine_version"],
        where=run["where"],
        kernel=run["kernel"],
        started=run["started"],
        seconds=run["seconds"],
        phases=run["phases"],
        measured=run["measured"],
        suites=tuple(run["suites"]),
        notes=tuple(run["notes"]),
        partial=Partial(run["partial_reason"]),
        cells=tuple(_cell(cell) for cell in value["cells"]),
    )


def _cell(value: dict[str, Any]) -> CellResult:
    cell = Cell(
        server=Server(name=value["server"], context=Path(), args=()),
        app=App(name=value["app"], path=Path()),
        limits=Limits(**value["limits"]),
        python=Python(version=value["python"]),
        suite=value["suite"],
    )
    observed, image = value["limits_observed"], value["image"]
    return CellResult(
        cell=cell,
        outcome=Outcome(value["outcome"]),
        checks=tuple(_check(check) for check in value["checks"]),
        seconds=value["seconds"],
        image=Image(**image) if image else None,
        framework_version=value["framework_version"],
        observed=Observed(**observed) if observed else None,
        transcripts={
            name: Transcript(name=name, lines=tuple(_line(line) for line in lines))
            for name, lines in value["evidence"].items()
        },
        ready_seconds=value["ready_seconds"],
        memory=value["memory"],
        log=value["log"],
        engine_seconds=value["engine_seconds"],
        reused=value["reused"],
        kept=tuple(value["kept"]),
    )


def _check(value: dict[str, Any]) -> CaseResult:
    return CaseResult(
        id=value["id"],
        level=Level(value["level"]),
        outcome=Outcome(value["outcome"]),
        detail=value["detail"],
        says=value["says"],
        cite=value["cite"],
        evidence=tuple(value["evidence"]),
        against=value["against"],
        request=value["request"],
        status=value["status"],
        recorded=value["recorded"],
    )


def _line(value: dict[str, Any]) -> Line:
    data = base64.b64decode(value["data"], validate=True)
    return Line(at=value["at"], on=value["on"], what=value["what"], data=data)
