"""Reads ``results.json``, so that every report can be made from a saved file."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from wsgi_matrix import __version__
from wsgi_matrix.errors import UserError, suggestion
from wsgi_matrix.results import codec, former_names
from wsgi_matrix.results.results_json import OLDER, SCHEMA, of_today, run_of

Value = dict[str, Any]

FAMILY = SCHEMA.rpartition("/")[0] + "/"


def read(path: Path) -> dict[str, Any]:
    """The value of the ``results.json`` at ``path``, in the current form.

    Raises :class:`~wsgi_matrix.errors.UserError` for a file that cannot be read, is not a results
    file of wsgi-matrix, has an unsupported schema version, or lacks what a report needs.
    """
    try:
        value = codec.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `wsgi-matrix run` writes it") from None
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror or problem}") from None
    except (ValueError, codec.DecodeError) as problem:
        raise UserError(
            f"{path}: invalid JSON ({problem}); use a results.json written by `wsgi-matrix run`"
        ) from None
    found = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(found, str) or not found.startswith(FAMILY):
        raise UserError(f"{path}: not a results.json of wsgi-matrix (its schema: {found!r})")
    if found not in (SCHEMA, *OLDER):
        raise UserError(f"{path}: {_of_another_version(value)}")
    try:
        run_of(value)  # checks that everything is there that a report needs
        return former_names.replaced(of_today(value))
    except (ValueError, codec.DecodeError) as problem:
        raise UserError(f"{path}: damaged: {problem}") from None


def _of_another_version(value: Value) -> str:
    """Why a file with an unsupported schema is rejected, and what to do."""
    version = value["schema"].removeprefix(FAMILY)
    run = value.get("run")
    writer = run.get("tool_version") if isinstance(run, dict) else None
    known = [each.removeprefix(FAMILY) for each in (*OLDER, SCHEMA)]
    by = f", written by wsgi-matrix {writer}" if writer else ""
    text = f"schema {version}{by}; wsgi-matrix {__version__} reads {' and '.join(known)}"
    if version.isdecimal() and int(version) > int(known[-1]):
        return f"{text}: upgrade it, or run again"
    return f"{text}: use the version that wrote it, or run again"


def path(build: Path) -> Path:
    """The results file of a run with the directory ``build``."""
    return build / "matrix" / "results.json"


def cell_of(value: Value, name: str) -> Value:
    """The cell with the id ``name``. Raises :class:`UserError` with a suggestion."""
    cells = {cell["id"]: cell for cell in value["cells"]}
    if name not in cells:
        raise UserError(f'no cell "{name}" in these results{suggestion(name, cells)}')
    found: Value = cells[name]
    return found


def octets(transcript: list[Value], on: str, what: str) -> bytes:
    """What was ``sent`` or ``received`` on a connection of ``transcript``, as far as saved."""
    return b"".join(
        base64.b64decode(line["data"])
        for line in transcript
        if line["on"] == on and line["what"] == what
    )
