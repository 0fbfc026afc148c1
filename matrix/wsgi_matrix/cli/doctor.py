"""``wsgi-matrix doctor``: which limits the engine of this host enforces."""

from __future__ import annotations

import contextlib
import sys

import click
from rich.table import Table

from wsgi_matrix.cli.common import engine_option, print_progress, user_errors
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.errors import Exit
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.reports.console import Output


@click.command()
@engine_option
@click.pass_obj
def doctor(settings: Config, engine: str) -> None:
    """Test whether this host's engine enforces each limit.

    Each limit is set in a container of its own and read back. Exits with 0 if all hold, else 1.
    """
    with user_errors():
        chosen, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        with contextlib.closing(chosen):
            output = Output(file=sys.stdout)
            output.print(f"{chosen.where} (version {chosen.version})", soft_wrap=True)
            table = Table("", "requested", "observed", "holds")
            python = next(iter(settings.pythons.values()))
            found = list(chosen.findings(python, print_progress))
            for each in found:
                holds = "[green]✔ yes[/]" if each.holds else "[bold red]✘ no[/]"
                table.add_row(each.what, each.requested, each.observed, holds)
            output.print(table)
        sys.exit(Exit.OK if all(each.holds for each in found) else Exit.FAILED)
