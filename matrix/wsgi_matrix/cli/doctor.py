"""``wsgi-matrix doctor``: what the engine of this machine honours."""

from __future__ import annotations

import contextlib
import sys

import click
from rich.table import Table

from wsgi_matrix.cli.common import engine_option, user_errors
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.errors import Exit
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.reports.console import Output


@click.command()
@engine_option
@click.pass_obj
def doctor(settings: Config, engine: str) -> None:
    """Try each limit on this machine's engine, in a container of its own, and read it back.

    The exit code is 0 if all of them hold, else 1.
    """
    with user_errors():
        chosen, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        with contextlib.closing(chosen):
            output = Output(file=sys.stdout)
            output.print(f"{chosen.where} (version {chosen.version})", soft_wrap=True)
            table = Table("", "asked for", "seen", "holds")
            python = next(iter(settings.pythons.values()))
            found = list(chosen.findings(python, _say))
            for each in found:
                holds = "[green]✔ yes[/]" if each.holds else "[bold red]✘ no[/]"
                table.add_row(each.what, each.asked, each.seen, holds)
            output.print(table)
        sys.exit(Exit.OK if all(each.holds for each in found) else Exit.FAILED)


def _say(phase: str, detail: str) -> None:
    """Progress, for people."""
    click.echo(f"{phase}: {detail}", err=True)
