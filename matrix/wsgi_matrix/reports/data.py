"""``results.json``: the one result file, versioned; its schema lies in ``schema/``.

:mod:`wsgi_matrix.reports.saved` reads it.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from importlib import resources
from typing import Any

from wsgi_matrix import __version__
from wsgi_matrix.model.results import CellResult, Run
from wsgi_matrix.model.wire import Exchange, Line, Transcript
from wsgi_matrix.reports import counts, exit_code

SCHEMA = "wsgi-matrix/results/2"
LARGEST_DATA = 4096
"""Octets of one line of evidence that are kept; ``octets`` says how many there were."""


def schema() -> dict[str, Any]:
    """The JSON Schema of ``results.json``."""
    file = resources.files("wsgi_matrix") / "schema" / "results.schema.json"
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value


def results(run: Run) -> dict[str, Any]:
    """The whole of ``results.json``."""
    value = {
        "schema": SCHEMA,
        "run": {
            "tool_version": __version__,
            "suites": list(run.suites),
            "engine": run.engine,
            "engine_version": run.engine_version,
            "where": run.where,
            "kernel": run.kernel,
            "started": run.started,
            "seconds": round(run.seconds, 3),
            "phases": {name: round(seconds, 3) for name, seconds in run.phases.items()},
            "measured": {name: round(seconds, 3) for name, seconds in run.measured.items()},
            "notes": list(run.notes),
            "partial": bool(run.partial),
            "partial_reason": run.partial.value,
            "counts": counts(run),
            "exit_code": int(exit_code(run)),
        },
        "cells": [_cell(run, result) for result in run.cells],
    }
    return {key: _plain(each) for key, each in value.items()}


def _plain(value: Any) -> Any:
    """``value`` without lone surrogates, which names of files may bring and UTF-8 cannot say."""
    match value:
        case str() if not value.isascii():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case _:
            return value


def _cell(run: Run, result: CellResult) -> dict[str, Any]:
    cell, observed = result.cell, result.observed
    return {
        "id": cell.id,
        "suite": cell.suite,
        "server": cell.server.name,
        "app": cell.app.name,
        "framework_version": result.framework_version,
        "python": cell.python.version,
        "limits": dataclasses.asdict(cell.limits),
        "limits_observed": observed
        and {"nofile": observed.nofile, "nproc": observed.nproc, "memory": observed.memory},
        "engine": run.engine,
        "image": result.image and dataclasses.asdict(result.image),
        "seconds": round(result.seconds, 3),
        "ready_seconds": result.ready_seconds and round(result.ready_seconds, 3),
        "memory": result.memory,
        "outcome": result.outcome.value,
        "checks": [
            {
                "id": check.id,
                "level": check.level.value,
                "outcome": check.outcome.value,
                "detail": check.detail,
                "says": check.says,
                "cite": check.cite,
                "evidence": list(check.evidence),
                "against": check.against,
                "request": check.request,
                "status": check.status,
                "recorded": check.recorded,
            }
            for check in result.checks
        ],
        "evidence": {
            transcript.name: [_line(line) for line in transcript.lines]
            for transcript in transcripts(result)
        },
        "log": result.log,
        "engine_seconds": round(result.engine_seconds, 3),
        "reused": result.reused,
        "kept": list(result.kept),
    }


def transcripts(result: CellResult) -> list[Transcript]:
    """Everything that was on the wire in a cell, exchanges and talks alike, in one form."""
    single = [_transcript(name, each) for name, each in result.exchanges.items()]
    return [*single, *result.transcripts.values()]


def _transcript(name: str, exchange: Exchange) -> Transcript:
    lines = [Line(at=0.0, on="a", what="sent", data=exchange.request)]
    if exchange.response:
        lines.append(Line(at=exchange.seconds, on="a", what="received", data=exchange.response))
    if exchange.end in ("fin", "reset"):
        lines.append(Line(at=exchange.seconds, on="a", what=exchange.end))
    if exchange.error:
        error = exchange.error.encode()
        lines.append(Line(at=exchange.seconds, on="a", what="error", data=error))
    return Transcript(name=name, lines=tuple(lines))


def _line(line: Line) -> dict[str, Any]:
    return {
        "at": round(line.at, 4),
        "on": line.on,
        "what": line.what,
        "octets": len(line.data),
        "data": base64.b64encode(line.data[:LARGEST_DATA]).decode("ascii"),
    }


def dumps(value: dict[str, Any]) -> str:
    """JSON as we write it: readable, and the same for the same value."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """One exchange with its octets in base64."""
    return {
        "request": base64.b64encode(exchange.request).decode("ascii"),
        "response": base64.b64encode(exchange.response).decode("ascii"),
        "seconds": exchange.seconds,
        "error": exchange.error,
        "end": exchange.end,
    }


def exchange_from_json(value: dict[str, Any]) -> Exchange:
    """The reverse of :func:`exchange_to_json`."""
    return Exchange(
        request=base64.b64decode(value["request"]),
        response=base64.b64decode(value["response"]),
        seconds=float(value["seconds"]),
        error=str(value["error"]),
        end=str(value["end"]),
    )
