"""Servers, limits and Pythons, one line each, for ``list`` and the help of ``try``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from wsgi_matrix.config import matrix_toml
from wsgi_matrix.errors import UserError
from wsgi_matrix.model.axes import Limits, Python, Server
from wsgi_matrix.util.cache_directory import cache_directory


def servers(there: Iterable[Server], pythons: dict[str, list[str]] | None = None) -> Iterator[str]:
    """Names, products and versions; ``pythons`` maps a server to the versions it runs on."""
    for server in there:
        versions = server.pythons if pythons is None else pythons[server.name]
        yield " ".join(filter(None, [server.name, server.product, server.version, *versions]))


def limits(there: Iterable[Limits]) -> Iterator[str]:
    """Names, and the limits that each sets."""
    for each in there:
        memory = f"{each.memory >> 20}MiB" if each.memory else None
        named = (("nofile", each.nofile), ("nproc", each.nproc), ("memory", memory))
        parts = [f"{name}={value}" for name, value in named if value is not None]
        yield " ".join([each.name, *parts, f"clients={each.clients}"])


def pythons(there: Iterable[Python]) -> Iterator[str]:
    """Versions, and the images or Debian releases that each can come from."""
    for python in there:
        parts = [*python.images, *([f"debian:{python.debian}"] if python.debian else [])]
        yield " ".join([python.version, *parts])


class WithAxes(click.Command):
    """A command whose help lists the built-in servers, limits and Pythons."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists, then the epilog. Read here, so that only ``--help`` waits for them."""
        try:
            there = matrix_toml.built_in(cache_directory())
        except UserError:
            there = None
        if there is not None:
            _section(formatter, "Built-in servers", servers(there.servers.values()))
            _section(formatter, "Built-in limits", limits(there.limits.values()))
            _section(formatter, "Built-in Pythons", there.pythons)
        super().format_epilog(ctx, formatter)


def _section(formatter: click.HelpFormatter, title: str, lines: Iterable[str]) -> None:
    with formatter.section(title):
        formatter.write_dl([(name, rest) for name, _, rest in (x.partition(" ") for x in lines)])


def limits_table() -> list[tuple[str, ...]]:
    """Headings and rows of the built-in limits, for the documentation."""
    rows: list[tuple[str, ...]] = [("limits", "nofile", "nproc", "memory", "concurrent clients")]
    for each in matrix_toml.built_in(cache_directory()).limits.values():
        memory = f"{each.memory >> 20} MiB" if each.memory else ""
        figures = (each.nofile or "", each.nproc or "", memory, each.clients)
        rows.append((f"`{each.name}`", *map(str, figures)))
    return rows
