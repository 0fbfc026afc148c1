"""``wsgi-matrix list``."""

from __future__ import annotations

import click

from wsgi_matrix import config, plan
from wsgi_matrix.cli.common import selection_options, user_errors


@click.command("list")
@selection_options
@click.pass_obj
def list_cells(settings: config.Config, /, **selection: tuple[str, ...]) -> None:
    """Show the ids of the cells that would run."""
    with user_errors():
        for cell in plan.make_cells(settings, plan.Selection(**selection)):
            click.echo(cell.id)
