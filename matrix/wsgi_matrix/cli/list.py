"""``wsgi-matrix list``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from wsgi_matrix.cli import axis_listing
from wsgi_matrix.cli.common import selection_options, user_errors, write_out
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.errors import ConfigError, UserError
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.suites import judge, registry
from wsgi_matrix.util.cache_directory import cache_directory

Cells = tuple[Cell, ...]


def _cells(_: Config, cells: Cells) -> Iterator[str]:
    return (cell.id for cell in cells)


def _cases(settings: Config, cells: Cells) -> Iterator[str]:
    for name in dict.fromkeys(cell.suite for cell in cells):
        yield f"{name} {judge.START} MUST the server starts and opens its port"
        for case in registry.build(settings, name).cases:
            cite = f" [{case.cite}]" if case.cite else ""
            alias = f" ({case.alias})" if case.alias else ""
            yield f"{name} {case.id}{alias} {case.level} {case.title or case.says}{cite}"


def _servers(_: Config, cells: Cells) -> Iterator[str]:
    there = {cell.server.name: cell.server for cell in reversed(cells)}
    pythons: dict[str, dict[str, None]] = {}
    for cell in cells:
        pythons.setdefault(cell.server.name, {})[cell.python.version] = None
    named = {name: list(versions) for name, versions in pythons.items()}
    return axis_listing.servers((there[name] for name in named), named)


def _apps(_: Config, cells: Cells) -> Iterator[str]:
    for app in dict.fromkeys(cell.app for cell in cells):
        yield f"{app.name} {app.target} in {app.path}"


def _limits(_: Config, cells: Cells) -> Iterator[str]:
    return axis_listing.limits(dict.fromkeys(cell.limits for cell in cells))


def _pythons(_: Config, cells: Cells) -> Iterator[str]:
    return axis_listing.pythons(dict.fromkeys(cell.python for cell in cells))


def _suites(settings: Config, cells: Cells) -> Iterator[str]:
    for name in dict.fromkeys(cell.suite for cell in cells):
        count = sum(cell.suite == name for cell in cells)
        cases = len(registry.build(settings, name).cases) + 1
        yield f"{name} {count} cell{'' if count == 1 else 's'}, {cases} checks each"


KINDS: dict[str, Callable[[Config, Cells], Iterator[str]]] = {
    "cells": _cells,
    "cases": _cases,
    "servers": _servers,
    "apps": _apps,
    "limits": _limits,
    "pythons": _pythons,
    "suites": _suites,
}


BUILT_IN: dict[str, Callable[[Config], Iterator[str]]] = {
    "servers": lambda there: axis_listing.servers(there.servers.values()),
    "limits": lambda there: axis_listing.limits(there.limits.values()),
    "pythons": lambda there: axis_listing.pythons(there.pythons.values()),
}
"""The kinds that can be listed without a matrix."""


@click.command("list")
@click.argument("kind", type=click.Choice(list(KINDS)), default="cells")
@selection_options
@click.pass_context
def list_cells(ctx: click.Context, /, kind: str, **selection: tuple[str, ...]) -> None:
    """List the ids of the cells that would run, or what they consist of.

    Without a matrix: the servers, limits and Pythons that come with wsgi-matrix.
    """
    with user_errors():
        options = ctx.find_root().params
        try:
            file = options["file"] or matrix_toml.find(Path.cwd())
        except ConfigError as problem:
            write_out("".join(f"{line}\n" for line in _built_in(kind, selection, problem)))
            return
        settings = matrix_toml.load(file, options["build"])
        cells = plan.make_cells(settings, plan.Selection(**selection))
        write_out("".join(f"{line}\n" for line in KINDS[kind](settings, cells)))


def _built_in(
    kind: str, selection: dict[str, tuple[str, ...]], problem: ConfigError
) -> Iterator[str]:
    """What comes with wsgi-matrix. Raises :class:`UserError` for kinds that need a matrix."""
    if kind not in BUILT_IN or any(selection.values()):
        raise UserError(
            f"{problem}; without one, you can use: "
            + ", ".join(f"wsgi-matrix list {each}" for each in BUILT_IN)
        )
    return BUILT_IN[kind](matrix_toml.built_in(cache_directory()))
