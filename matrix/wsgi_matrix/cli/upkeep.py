"""``wsgi-matrix clean`` and ``wsgi-matrix base``: what runs leave and what they need."""

from __future__ import annotations

import contextlib

import click

from wsgi_matrix import plan
from wsgi_matrix.cli.common import Names, engine_option, user_errors, write_out
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.settings import Config


@click.command()
@engine_option
@click.pass_obj
def clean(settings: Config, engine: str) -> None:
    """Remove what earlier runs left behind or kept: processes, containers, by our label only."""
    with user_errors():
        chosen, _ = choose(engine, settings.build)
        with contextlib.closing(chosen):
            count = chosen.clean()
        write_out(f"{count} left behind and removed\n")


@click.command()
@click.option("--pythons", type=Names(), default=(), help="Pythons to make the base for.")
@click.pass_obj
def base(settings: Config, /, pythons: tuple[str, ...]) -> None:
    """Make the base images, or find that they are there, and print their names."""
    # Only here, for the Docker SDK takes its time to import.
    from wsgi_matrix.engines.docker_base import ensure_base  # noqa: PLC0415
    from wsgi_matrix.engines.docker_client import connect  # noqa: PLC0415

    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(pythons=pythons))
        with contextlib.closing(connect()) as client:
            for python in dict.fromkeys(cell.python for cell in cells):
                made = ensure_base(client, python, _say, settings.build)
                write_out(f"{made.reference} {made.id} from {made.source}\n")


def _say(phase: str, detail: str) -> None:
    """Progress, for people."""
    click.echo(f"{phase}: {detail}", err=True)
