"""Whether an app can be loaded at all, and as what: found out once, before any server starts."""

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
from wsgi_matrix.reports import status_counts
from wsgi_matrix.suites.traffic import error_hints

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
        return ""  # of an extension, which tells nothing of its parameters
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
"""Run in the cell: loads the app as a server does, and tells why it could not, or that what is
there is no WSGI application by the parameters that it takes (PEP 3333). ``either``: all that it
takes is optional, so that it may be a factory, or an application behind a decorator."""
EITHER = "either"

KINDS = {
    "asgi": "{app} is an ASGI application, and these are WSGI servers; a2wsgi.ASGIMiddleware makes "
    "a WSGI application of one",
    "factory": "{app} takes no environ and start_response; if it makes the application: {app}()",
    "other": "{app} cannot be called with environ and start_response, as WSGI does (PEP 3333)",
}
_FRAMES = ("Traceback (most recent", "  ")
"""How lines of a traceback begin but the one that says what it was."""
LINES = 6
"""Of a log that are shown."""


def loadable(engine: Engine, cells: Sequence[Cell], perhaps_factories: set[App]) -> None:
    """Load the app once on each Python. Raises :class:`SetupError` with the error from inside.

    Before any server is started: the same error in ten logs would tell no more. An app that may be
    a factory by its parameters is added to ``perhaps_factories``; its responses say more.
    """
    for cell in {(cell.app, cell.python): cell for cell in reversed(cells)}.values():
        try:
            words = ["{python}", "-c", LOAD, app_import_string.loaded(cell.app.target)]
            status, said = engine.check(cell, words)
        except CellError as problem:
            lines = [line for line in problem.log.splitlines() if not line.startswith(_FRAMES)]
            log = " | ".join(lines[-LINES:])
            parts = [f"app {cell.app.name}: {problem}", log, error_hints.advice(f"{problem} {log}")]
            raise SetupError("; ".join(part for part in parts if part)) from None
        if status != 0:
            raise SetupError(_why(cell, status, said))
        if _last(said).get("kind") == EITHER:
            perhaps_factories.add(cell.app)


def not_called(done: Run, perhaps_factories: Collection[App]) -> Run:
    """``done`` with a note on each app that may be a factory and responded with errors alone."""
    notes = []
    for app in perhaps_factories:
        results = [each for each in done.cells if each.cell.app == app]
        checks = [check for each in results for check in status_counts.asked(each)]
        if checks and all(not check.status or check.status >= 500 for check in checks):
            notes.append(
                f"no response but server errors; {app_import_string.not_called(app.target)}"
            )
    return replace(done, notes=(*notes, *done.notes))


def _last(said: str) -> dict[str, Any]:
    """The object in the last line that a command wrote; empty where there is none."""
    try:
        told = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return told if isinstance(told, dict) else {}


def _why(cell: Cell, status: int | None, said: str) -> str:
    """One line on an app that cannot be loaded: what, where, what to do."""
    app = cell.app.target
    what = f"{app} cannot be loaded on Python {cell.python.version}"
    told = _last(said)
    if told.get("kind") in KINDS:
        return KINDS[told["kind"]].format(app=app)
    try:
        kind, text, missing, at = (str(told[key] or "") for key in ("type", "text", "name", "at"))
    except KeyError:
        return f"{what}: it ended with exit status {status}: {said[-500:]}"
    # As people know the file: in their folder, not in the cell's copy of it.
    where = re.sub(r"^(/srv|.*/bundles/[^/]+)/(app|own)/", "", at)
    where = f" ({where})" if at and not where.startswith(app_import_string.FACTORY) else ""
    advice = _advice(cell, kind, text, missing)
    return f"{what}: {kind}: {' '.join(text.split())}{where}{'; ' if advice else ''}{advice}"


def _advice(cell: Cell, kind: str, text: str, missing: str) -> str:
    module, _, name = cell.app.target.partition(":")
    if kind == "ModuleNotFoundError":
        if module == missing or module.startswith(missing + "."):
            return f"there is no such module in {cell.app.path}: --source names the app's folder"
        return f"add what brings {missing} to {cell.app.requirements}"
    if kind == "KeyError" and text.strip("'").isupper():
        return f"if that is a variable of the environment: --env {text.strip(chr(39))}=…"
    if kind == "AttributeError" and missing == re.split(r"[.(]", name)[0]:
        return f"name the WSGI callable of {module}"
    return error_hints.advice(text)
