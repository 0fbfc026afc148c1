"""``wsgi-matrix try``: somebody's own app under several servers, nothing written first."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from wsgi_matrix import config, plan, shipped, suites
from wsgi_matrix.cli import choices
from wsgi_matrix.cli.common import EPILOG, engine_option, user_errors
from wsgi_matrix.cli.run import terminable, write_down
from wsgi_matrix.engines import CellError, Engine, SetupError
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import Run
from wsgi_matrix.reports import console, exit_code, progress
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.settings import Config
from wsgi_matrix.traffic import twice

LOAD = """
import importlib, json, sys, traceback
module, _, name = sys.argv[1].partition(":")
problem = None
try:
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{name} is not callable: {found!r}")
except BaseException as raised:
    problem = raised
    frames = traceback.extract_tb(raised.__traceback__)
    at = next((f for f in reversed(frames) if "importlib" not in f.filename), None)
    told = {"type": type(raised).__name__, "text": str(raised), "name": getattr(raised, "name", "")}
    told["at"] = f"{at.filename}, line {at.lineno}" if at and at.filename != "<string>" else ""
    print("\\n" + json.dumps(told), flush=True)
sys.exit(bool(problem))
"""
"""Run in the cell: loads the app as a server does, and tells why it could not."""


@click.command("try", epilog=EPILOG)
@click.argument("app", metavar="MODULE:CALLABLE")
@choices.options
@engine_option
@click.option("--jobs", type=click.IntRange(1), help="Cells at a time; by default the cores.")
@click.pass_context
def try_app(ctx: click.Context, /, app: str, engine: str, jobs: int | None, **chosen: Any) -> None:
    """Run an app of your own under several servers, Pythons and limits, and see what differs.

    Nothing has to be written for it; `wsgi-matrix init` writes a matrix.toml with the same choices.
    """
    terminable()
    with user_errors():
        root = Path.cwd()
        build = (ctx.parent and ctx.parent.params["build"]) or shipped.cache()
        settings = choices.as_config(choices.tables(app, root, **chosen), root, build.absolute())
        cells = plan.make_cells(settings, plan.Selection())
        config.check_folders(settings, cells)
        suite = suites.choose(settings, suites.TRAFFIC)
        chosen_engine, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        with contextlib.closing(chosen_engine):
            done = Runner(
                cells,
                chosen_engine,
                settings.settings,
                suites={suites.TRAFFIC: suite},
                jobs=jobs,
                handlers=(progress.Progressing(),),
                before=loadable,
            ).run()
            changes = twice.changes(chosen_engine, settings, suite, done)
        write_down(settings, done)
        console.render(done)
        _tell(settings, done, changes)
        sys.exit(exit_code(done))


def loadable(engine: Engine, cells: Sequence[Cell]) -> None:
    """Load the app once on each Python. Raises :class:`SetupError` with the error from inside.

    Before any server is started: the same error in ten logs would tell no more.
    """
    for cell in {(cell.app, cell.python): cell for cell in reversed(cells)}.values():
        try:
            status, said = engine.check(cell, ["{python}", "-c", LOAD, cell.app.target])
        except CellError as problem:
            log = " | ".join(problem.log.splitlines()[-6:])
            raise SetupError(f"app {cell.app.name}: {problem}: {log}") from None
        if status != 0:
            raise SetupError(_why(cell, status, said))


def _why(cell: Cell, status: int | None, said: str) -> str:
    """One line on an app that cannot be loaded: what, where, what to do."""
    what = f"{cell.app.target} cannot be loaded on Python {cell.python.version}"
    try:
        told = json.loads(said.splitlines()[-1])
        kind, text, missing, at = (str(told[key] or "") for key in ("type", "text", "name", "at"))
    except (ValueError, IndexError, KeyError, TypeError):
        return f"{what}: it ended with exit status {status}: {said[-500:]}"
    module, _, name = cell.app.target.partition(":")
    advice = ""
    if (kind == "ModuleNotFoundError" and module == missing) or module.startswith(missing + "."):
        advice = f"; there is no such module in {cell.app.path}: --source names the app's folder"
    elif kind == "ModuleNotFoundError":
        advice = f"; add what brings {missing} to {cell.app.requirements}"
    elif kind == "KeyError" and text.strip("'").isupper():
        advice = f"; if that is a variable of the environment: --env {text.strip(chr(39))}=…"
    elif kind == "AttributeError" and missing == name.partition(".")[0]:
        advice = f"; name the WSGI callable of {module}"
    # As people know the file: in their folder, not in the cell's copy of it.
    where = re.sub(r"^(/srv|.*/bundles/[^/]+)/app/", "", at)
    where = f" ({where})" if at else ""
    return f"{what}: {kind}: {' '.join(text.split())}{where}{advice}"


def _tell(settings: Config, done: Run, changes: twice.Changes) -> None:
    """What the app changes by itself, and where the evidence is."""
    if changes.ignores:
        click.echo("\nThe first cell, run twice, changes this by itself. To leave it out, add:")
        for each in changes.ignores:
            click.echo(f"  --ignore {shlex.quote(str(each))}")
        click.echo("What differs even then:" if changes.beyond else "Nothing differs then.")
        for line in changes.beyond:
            click.echo(f"  {line}")
    for title in changes.unsettled:
        click.echo(f"{title}: it changes by itself, in a way that no option leaves out")
    if done.cells:
        click.echo(f"evidence: {settings.build / 'matrix' / 'results.json'}")
