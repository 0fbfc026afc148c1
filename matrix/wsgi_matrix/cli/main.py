"""The command ``wsgi-matrix``: the group of sub-commands."""

from __future__ import annotations

from pathlib import Path

import click

from wsgi_matrix import __version__
from wsgi_matrix.cli.base_images import base
from wsgi_matrix.cli.clean import clean
from wsgi_matrix.cli.common import EPILOG, user_errors
from wsgi_matrix.cli.doctor import doctor
from wsgi_matrix.cli.init import init
from wsgi_matrix.cli.list import list_cells
from wsgi_matrix.cli.results import compare, report, show
from wsgi_matrix.cli.run import run
from wsgi_matrix.cli.schema import schema
from wsgi_matrix.cli.try_app.command import try_app
from wsgi_matrix.config import matrix_toml

WITHOUT_MATRIX = ("try", "init", "list", "show", "compare", "report", "clean", "schema")
"""Sub-commands that need no matrix, make their own, or read it themselves if needed."""


@click.group(epilog=EPILOG)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Matrix file (default: matrix.toml in this directory or its nearest parent).",
)
@click.option(
    "--build",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for caches and results (default: build/ next to the matrix file).",
)
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context, file: Path | None, build: Path | None) -> None:
    """Run one unmodified server with the app of every framework, and show what differs."""
    if ctx.resilient_parsing or ctx.invoked_subcommand in WITHOUT_MATRIX:
        return
    with user_errors():
        ctx.obj = matrix_toml.load(file or matrix_toml.find(Path.cwd()), build)


for command in (
    run, try_app, init, list_cells, show, compare, report, doctor, clean, base, schema,
):  # fmt: skip
    main.add_command(command)
