"""``wsgi-matrix try``: run the user's own app under several servers, without a matrix.toml."""

from __future__ import annotations

import contextlib
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from wsgi_matrix.cli import axis_listing, run_directories
from wsgi_matrix.cli.common import EPILOG, engine_option, user_errors, write_out
from wsgi_matrix.cli.run import (
    announce_large_files,
    print_report_location,
    terminable,
    write_reports,
)
from wsgi_matrix.cli.try_app import config_options, dry_run_output
from wsgi_matrix.cli.try_app.app_import_check import check_loadable, not_called
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.model.axes import App
from wsgi_matrix.model.outcome_semantics import exit_code
from wsgi_matrix.packaging import lockfile
from wsgi_matrix.reports import console, progress
from wsgi_matrix.reports import registry as reports
from wsgi_matrix.runner import repeat_reference
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites.api import Suite
from wsgi_matrix.suites.traffic import ignore, propose
from wsgi_matrix.suites.traffic import suite as traffic
from wsgi_matrix.util.cache_directory import cache_directory

ARGUMENTS = "wsgi_matrix.arguments"
CONTINUED = " \\\n  "
"""Continues a command on the next line."""


class Try(axis_listing.WithAxes):
    """A command that remembers its arguments, for a command line to paste."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse ``args``, and remember them."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)


@click.command("try", cls=Try, epilog=EPILOG)
@click.argument("app", metavar="MODULE:CALLABLE")
@config_options.options
@engine_option
@click.option(
    "--jobs", type=click.IntRange(1), help="Cells to run in parallel (default: CPU count)."
)
@click.option("--dry-run", is_flag=True, help="Show cells and requests, without starting anything.")
@click.pass_context
def try_app(
    ctx: click.Context, /, app: str, engine: str, jobs: int | None, dry_run: bool, **chosen: Any
) -> None:
    """Run your own app under several servers, Pythons and limits, and show what differs.

    This needs no configuration; `wsgi-matrix init` writes a matrix.toml with the same options.
    """
    terminable()
    with user_errors():
        root = Path.cwd()
        build = (ctx.parent and ctx.parent.params["build"]) or cache_directory()
        auto = ignore.AUTO in chosen["ignore"]
        chosen["ignore"] = tuple(each for each in chosen["ignore"] if each != ignore.AUTO)
        settings = config_options.as_config(
            config_options.tables(app, root, **chosen), root, build.absolute()
        )
        reports.reports()  # fails now, not after the run, if one cannot be loaded
        cells = plan.make_cells(settings, plan.Selection())
        matrix_toml.check_directories(settings, cells)
        announce_large_files(settings, settings.settings.suites)
        suite = traffic.TYPE.build(settings)
        for each in settings.apps.values():
            if note := lockfile.chosen(each.path, each.requirements)[1]:
                click.echo(f"wsgi-matrix: {note}", err=True)
        chosen_engine, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        perhaps_factories: set[App] = set()
        with contextlib.closing(chosen_engine):
            if dry_run:
                write_out(dry_run_output.render(cells, chosen_engine, suite))
                return
            done = Runner(
                cells,
                chosen_engine,
                settings.settings,
                suites={suite.name: suite},
                jobs=jobs,
                handlers=(progress.Progressing(),),
                before=partial(check_loadable, perhaps_factories=perhaps_factories),
            ).run()
            changes = repeat_reference.changes(chosen_engine, settings, suite, done)
        done = not_called(done, perhaps_factories)
        done = repeat_reference.without(done, changes, settings, suite, ignored=auto)
        directory = run_directories.fresh(settings.build, root)
        write_reports(directory, done)
        # First, because it explains what may be a hundred lines below it.
        write_out(_changes(ctx, changes, suite, auto=auto))
        console.render(done)
        print_report_location(directory, done)
        sys.exit(exit_code(done))


def _changes(
    ctx: click.Context, found: repeat_reference.Changes, suite: Suite, *, auto: bool
) -> str:
    """The values that the app changes by itself, and a command to paste that ignores them."""
    lines = []
    named = [shlex.quote(str(each)) for each in found.ignores]
    if named and auto:
        lines.append("These differ between two runs of the reference and are ignored:")
        lines += [f"  {each}" for each in named]
    elif named:
        group = ctx.parent.params["build"] if ctx.parent else None
        build = ["--build", str(group)] if group else []
        words = shlex.join(["wsgi-matrix", *build, "try", *ctx.meta[ARGUMENTS]])
        lines.append("These values differ between two runs of the reference. To ignore them:")
        lines += ["", CONTINUED.join([words, *(f"--ignore {each}" for each in named)]), ""]
    for each in found.ignores:
        if more := propose.broad(each):
            lines.append(f"note: {each} ignores {more}")
    titles = {ask.name: ask.title for session in suite.sessions for ask in session.asks}
    for name in found.unsettled:
        lines.append(f"{titles[name]}: {repeat_reference.UNSETTLED}")
    return "\n".join([*lines, ""]) + "\n" if lines else ""
