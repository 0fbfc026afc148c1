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
from wsgi_matrix.cli import axes, choices, kept, traffic_plan
from wsgi_matrix.cli.common import EPILOG, engine_option, user_errors, write_out
from wsgi_matrix.cli.run import tell_report, terminable, write_down
from wsgi_matrix.engines import CellError, Engine, SetupError
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.reports import console, exit_code, progress
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites import Suite
from wsgi_matrix.traffic import ignore, propose, twice

WORDS = "wsgi_matrix.words"
CONTINUED = " \\\n  "
"""Between two lines of one command."""
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


class Try(axes.WithAxes):
    """A command that keeps its words, for a command line to paste."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As ever."""
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)


@click.command("try", cls=Try, epilog=EPILOG)
@click.argument("app", metavar="MODULE:CALLABLE")
@choices.options
@engine_option
@click.option("--jobs", type=click.IntRange(1), help="Cells at a time; by default the cores.")
@click.option("--dry-run", is_flag=True, help="Show cells and requests, and start nothing.")
@click.pass_context
def try_app(
    ctx: click.Context, /, app: str, engine: str, jobs: int | None, dry_run: bool, **chosen: Any
) -> None:
    """Run an app of your own under several servers, Pythons and limits, and see what differs.

    Nothing has to be written for it; `wsgi-matrix init` writes a matrix.toml with the same choices.
    """
    terminable()
    with user_errors():
        root = Path.cwd()
        build = (ctx.parent and ctx.parent.params["build"]) or shipped.cache()
        auto = ignore.AUTO in chosen["ignore"]
        chosen["ignore"] = tuple(each for each in chosen["ignore"] if each != ignore.AUTO)
        settings = choices.as_config(choices.tables(app, root, **chosen), root, build.absolute())
        cells = plan.make_cells(settings, plan.Selection())
        config.check_folders(settings, cells)
        suite = suites.choose(settings, suites.TRAFFIC)
        chosen_engine, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        with contextlib.closing(chosen_engine):
            if dry_run:
                write_out(traffic_plan.render(cells, chosen_engine, suite))
                return
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
        done = twice.without(done, changes, settings, suite, ignored=auto)
        folder = kept.fresh(settings.build, root)
        write_down(folder, done)
        # First what explains the rest, or it would stand below a hundred lines that it explains.
        write_out(_changes(ctx, changes, suite, auto=auto))
        console.render(done)
        tell_report(folder, done)
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


def _changes(ctx: click.Context, found: twice.Changes, suite: Suite, *, auto: bool) -> str:
    """What the app changes by itself, and the command that leaves it out, in one piece to paste."""
    lines = []
    named = [shlex.quote(str(each)) for each in found.ignores]
    if named and auto:
        lines.append("These differ between two runs of the reference and are ignored:")
        lines += [f"  {each}" for each in named]
    elif named:
        group = ctx.parent.params["build"] if ctx.parent else None
        build = ["--build", str(group)] if group else []
        words = shlex.join(["wsgi-matrix", *build, "try", *ctx.meta[WORDS]])
        lines.append("These values differ between two runs of the reference. To ignore them:")
        lines += ["", CONTINUED.join([words, *(f"--ignore {each}" for each in named)]), ""]
    for each in found.ignores:
        if more := propose.broad(each):
            lines.append(f"note: {each} leaves out {more}")
    titles = {ask.name: ask.title for session in suite.sessions for ask in session.asks}
    for name in found.unsettled:
        lines.append(f"{titles[name]}: {twice.UNSETTLED}")
    return "\n".join([*lines, ""]) + "\n" if lines else ""
