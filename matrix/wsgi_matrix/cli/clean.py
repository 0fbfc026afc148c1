"""``wsgi-matrix clean``: removes what runs have left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from wsgi_matrix.cli.common import engine_option, user_errors, write_out
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.errors import UserError
from wsgi_matrix.util.cache_directory import cache_directory


@click.command()
@engine_option
@click.option("--cache", is_flag=True, help="Also remove cached bundles, servers and locks.")
@click.pass_context
def clean(ctx: click.Context, engine: str, cache: bool) -> None:
    """Remove leftover and preserved processes and containers of earlier runs.

    Only those with wsgi-matrix's label are removed: of the matrix in the current directory or the
    nearest parent directory that has one; otherwise, of `wsgi-matrix try`.
    """
    with user_errors():
        build = _build(ctx.parent.params if ctx.parent else {})
        chosen, _ = choose(engine, build)
        with contextlib.closing(chosen):
            count = chosen.clean()
            write_out(f"leftovers removed: {count}\n")
            if cache:
                try:
                    octets = chosen.clean_cache()
                except BlockingIOError:
                    raise UserError(f"{build}: in use by a run; try again later") from None
                write_out(f"{octets / 2**20:.1f} MiB of cache removed from {build}\n")


def _build(group: Mapping[str, Any]) -> Path:
    """The build directory to clean, from the group's options. Raises :class:`UserError`."""
    if group.get("build"):
        return Path(group["build"]).absolute()
    try:
        file = group.get("file") or matrix_toml.find(Path.cwd())
    except UserError:
        return cache_directory()
    return matrix_toml.load(file).build
