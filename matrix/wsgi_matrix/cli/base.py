"""``wsgi-matrix base``: the base images that cells run in."""

from __future__ import annotations

import contextlib

import click

from wsgi_matrix.cli.common import Names, user_errors, write_out
from wsgi_matrix.config import plan
from wsgi_matrix.model.matrix_config import Config


@click.command()
@click.option("--pythons", type=Names(), default=(), help="Pythons to make the base for.")
@click.pass_obj
def base(settings: Config, /, pythons: tuple[str, ...]) -> None:
    """Make the base images, or find that they are there, and print their names."""
    # Only here, for the Docker SDK takes its time to import.
    from wsgi_matrix.engines.docker.base_images import ensure_base  # noqa: PLC0415
    from wsgi_matrix.engines.docker.client import connect  # noqa: PLC0415

    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(pythons=pythons))
        with contextlib.closing(connect()) as client:
            for python in dict.fromkeys(cell.python for cell in cells):
                made = ensure_base(client, python, _say, settings.build)
                write_out(f"{made.reference} {made.id} from {made.source}\n")


def _say(phase: str, detail: str) -> None:
    """Progress, for people."""
    click.echo(f"{phase}: {detail}", err=True)
