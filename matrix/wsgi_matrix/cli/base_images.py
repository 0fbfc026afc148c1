"""``wsgi-matrix base``: the base images that cells run in."""

from __future__ import annotations

import contextlib

import click

from wsgi_matrix.cli.common import Names, print_progress, user_errors, write_out
from wsgi_matrix.config import plan
from wsgi_matrix.model.matrix_config import Config


@click.command()
@click.option(
    "--pythons", type=Names(), default=(), help="Python versions to build base images for."
)
@click.pass_obj
def base(settings: Config, /, pythons: tuple[str, ...]) -> None:
    """Build the base images that do not exist yet, and print the names of all."""
    # Imported late, because importing the Docker SDK is slow.
    from wsgi_matrix.engines.docker.base_images import ensure_base  # noqa: PLC0415
    from wsgi_matrix.engines.docker.client import connect  # noqa: PLC0415

    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(pythons=pythons))
        with contextlib.closing(connect()) as client:
            for python in dict.fromkeys(cell.python for cell in cells):
                made = ensure_base(client, python, print_progress, settings.build)
                write_out(f"{made.reference} {made.id} from {made.source}\n")
