"""Checks once, before any server starts, that an app can be loaded and is a WSGI application."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.errors import CellError, SetupError
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.axes import App, Cell
from wsgi_matrix.model.results import Run
from wsgi_matrix.reports import http_status_counts
from wsgi_matrix.suites import cell_restriction_hints

LOAD = """
import importlib, inspect, json, sys, traceback
module, _, name = sys.argv[1].partition(":")

def takes(call, *values):
    try:
        inspect.signature(call).bind(*values)
    except TypeError:
        return False
    return True

def kind(found):
    try:
        inspect.signature(found)
    except (TypeError, ValueError):
        return ""  # of an extension module, without a signature
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__):
        return "asgi"
    if takes(found, 1, 2):
        return "either" if takes(found) else ""
    if takes(found, 1, 2, 3):
        return "asgi"
    return "factory" if takes(found) else "other"

told = None
try:
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{name} is not callable: {found!r}")
    if kind(found):
        told = {"kind": kind(found)}
except BaseException as raised:
    frames = traceback.extract_tb(raised.__traceback__)
    at = next((f for f in reversed(frames) if "importlib" not in f.filename), None)
    told = {"type": type(raised).__name__, "text": str(raised), "name": getattr(raised, "name", "")}
    told["at"] = f"{at.filename}, line {at.lineno}" if at and at.filename != "<string>" else ""
if told:
    print("\\n" + json.dumps(told), flush=True)
sys.exit(bool(told) and told.get("kind") != "either")
"""
"""Run in the cell: loads the app as a server does, and prints why it failed, or that the object's
parameters are not those of a WSGI application (PEP 3333). ``either``: all parameters are optional,
so it may be a factory, or an application behind a decorator."""
EITHER = "either"

KINDS = {
    "asgi": "{app} is an ASGI application, but these are WSGI servers; wrap it in "
    "a2wsgi.ASGIMiddleware",
    "factory": "{app} does not accept environ and start_response; if it is a factory, use {app}()",
    "other": "{app} does not accept environ and start_response, as WSGI requires (PEP 3333)",
}
_FRAMES = ("Traceback (most recent", "  ")
"""Beginnings of all lines of a traceback except the last, which has the exception."""
LINES = 6
"""Number of log lines shown."""


def check_loadable(engine: Engine, cells: Sequence[Cell], perhaps_factories: set[App]) -> None:
    """Load the app once on each Python. Raises :class:`SetupError` with the app's own error.

    This is done before any server starts, because the same error in ten logs says no more. An app
    that may be a factory, judging by its parameters, is added to ``perhaps_factories``.
    """
    for cell in {(cell.app, cell.python): cell for cell in reversed(cells)}.values():
        try:
            words = ["{python}", "-c", LOAD, app_import_string.loaded(cell.app.target)]
            status, said = engine.check(cell, words)
        except CellError as problem:
            lines = [line for line in problem.log.splitlines() if not line.startswith(_FRAMES)]
            log = " | ".join(lines[-LINES:])
            parts = [
                f"app {cell.app.name}: {problem}",
                log,
                cell_restriction_hints.advice(f"{problem} {log}"),
            ]
            raise SetupError("; ".join(part for part in parts if part)) from None
        if status != 0:
            raise SetupError(_why(cell, status, said))
        if _last(said).get("kind") == EITHER:
            perhaps_factories.add(cell.app)


def not_called(done: Run, perhaps_factories: Collection[App]) -> Run:
    """``done`` with a note on each app that may be a factory and only responded with errors."""
    notes = []
    for app in perhaps_factories:
        results = [each for each in done.cells if each.cell.app == app]
        checks = [check for each in results for check in http_status_counts.request_checks(each)]
        if checks and all(not check.status or check.status >= 500 for check in checks):
            notes.append(
                f"all responses are server errors; {app_import_string.not_called(app.target)}"
            )
    return replace(done, notes=(*notes, *done.notes))


def _last(said: str) -> dict[str, Any]:
    """The JSON object in the last line of a command's output; empty if there is none."""
    try:
        report = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return report if isinstance(report, dict) else {}


def _why(cell: Cell, status: int | None, said: str) -> str:
    """One line for an app that cannot be loaded: what failed, where, and what to do."""
    app = cell.app.target
    what = f"{app} cannot be loaded on Python {cell.python.version}"
    report = _last(said)
    if report.get("kind") in KINDS:
        return KINDS[report["kind"]].format(app=app)
    try:
        kind, text, missing, at = (str(report[key] or "") for key in ("type", "text", "name", "at"))
    except KeyError:
        return f"{what}: exit status {status}: {said[-500:]}"
    # The path in the user's directory, not in the cell's copy of it.
    where = re.sub(r"^(/srv|.*/bundles/[^/]+)/(app|own)/", "", at)
    where = f" ({where})" if at and not where.startswith(app_import_string.FACTORY) else ""
    advice = _advice(cell, kind, text, missing)
    return f"{what}: {kind}: {' '.join(text.split())}{where}{'; ' if advice else ''}{advice}"


def _advice(cell: Cell, kind: str, text: str, missing: str) -> str:
    module, _, name = cell.app.target.partition(":")
    if kind == "ModuleNotFoundError":
        if module == missing or module.startswith(missing + "."):
            return f"no such module in {cell.app.path}; set the app's directory with --source"
        return f"add the distribution with {missing} to {cell.app.requirements}"
    if kind == "KeyError" and text.strip("'").isupper():
        return f"if this is an environment variable, set it: --env {text.strip(chr(39))}=…"
    if kind == "AttributeError" and missing == re.split(r"[.(]", name)[0]:
        return f"specify the WSGI callable in {module}"
    return cell_restriction_hints.advice(text)
