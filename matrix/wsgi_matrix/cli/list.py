"""``wsgi-matrix list``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from wsgi_matrix import plan, suites
from wsgi_matrix.cases import registry
from wsgi_matrix.cli.common import selection_options, user_errors, write_out
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.settings import Config

Cells = tuple[Cell, ...]


def _cells(_: Config, cells: Cells) -> Iterator[str]:
    return (cell.id for cell in cells)


def _cases(settings: Config, cells: Cells) -> Iterator[str]:
    for name in dict.fromkeys(cell.suite for cell in cells):
        yield f"{name} {registry.START} MUST the server comes up and opens its port"
        for case in suites.choose(settings, name).cases:
            cite = f" [{case.cite}]" if case.cite else ""
            yield f"{name} {case.id} {case.level} {case.says}{cite}"


def _servers(_: Config, cells: Cells) -> Iterator[str]:
    for server in dict.fromkeys(cell.server.name for cell in cells):
        one = next(cell.server for cell in cells if cell.server.name == server)
        pythons = dict.fromkeys(cell.python.version for cell in cells if cell.server.name == server)
        yield " ".join(filter(None, [server, one.product, one.version, *pythons]))


def _apps(_: Config, cells: Cells) -> Iterator[str]:
    for app in dict.fromkeys(cell.app for cell in cells):
        yield f"{app.name} {app.target} in {app.path}"


def _limits(_: Config, cells: Cells) -> Iterator[str]:
    for limits in dict.fromkeys(cell.limits for cell in cells):
        parts = [
            f"{name}={value}"
            for name in ("nofile", "nproc", "memory")
            if (value := getattr(limits, name)) is not None
        ]
        yield " ".join([limits.name, *parts, f"clients={limits.clients}"])


def _pythons(_: Config, cells: Cells) -> Iterator[str]:
    for python in dict.fromkeys(cell.python for cell in cells):
        parts = [*python.images, *([f"debian:{python.suite}"] if python.suite else [])]
        yield " ".join([python.version, *parts])


def _suites(settings: Config, cells: Cells) -> Iterator[str]:
    for name in dict.fromkeys(cell.suite for cell in cells):
        count = sum(cell.suite == name for cell in cells)
        cases = len(suites.choose(settings, name).cases) + 1
        yield f"{name} {count} cell{'' if count == 1 else 's'}, {cases} checks in each"


KINDS: dict[str, Callable[[Config, Cells], Iterator[str]]] = {
    "cells": _cells,
    "cases": _cases,
    "servers": _servers,
    "apps": _apps,
    "limits": _limits,
    "pythons": _pythons,
    "suites": _suites,
}


@click.command("list")
@click.argument("kind", type=click.Choice(list(KINDS)), default="cells")
@selection_options
@click.pass_obj
def list_cells(settings: Config, /, kind: str, **selection: tuple[str, ...]) -> None:
    """Show the ids of the cells that would run, or what they are made of."""
    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(**selection))
        write_out("".join(f"{line}\n" for line in KINDS[kind](settings, cells)))
