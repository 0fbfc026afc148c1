"""From ``wsgi-matrix`` and ``matrix.toml``: the reference in command.md, the tables of limits."""

from __future__ import annotations

from pathlib import Path

import click
from wsgi_matrix.cli import axis_listing
from wsgi_matrix.cli import main as group
from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.model.axes import Limits
from wsgi_matrix.util.markdown import table

WIDTH = 90


def reference() -> str:
    """A section for the command and for each of its sub-commands, in alphabetical order."""
    parts = [_section("wsgi-matrix", group, None)]
    top = click.Context(group, info_name="wsgi-matrix")
    for name in sorted(group.commands):
        parts.append(_section(f"wsgi-matrix {name}", group.commands[name], top))
    return "\n\n".join(parts)


def _section(title: str, command: click.Command, parent: click.Context | None) -> str:
    name = title.rpartition(" ")[2]
    context = click.Context(command, info_name=name, parent=parent, max_content_width=WIDTH)
    context.terminal_width = WIDTH
    return f"### {title}\n\n```text\n{command.get_help(context).rstrip()}\n```"


def limits() -> str:
    """The table of the built-in limits, for try.md."""
    titles, *rows = axis_listing.limits_table()
    return table(titles, rows)


def profiles(matrix: Path) -> str:
    """The table of the limits that the suite hello of ``matrix`` runs under, for the README."""
    found = config.load(matrix)
    titles = ["profile", "nofile", "nproc", "memory", "concurrent clients"]
    return table(titles, [_profile(found.limits[name]) for name in found.suites["hello"].limits])


def _profile(limits: Limits) -> list[str]:
    figures = [limits.nofile, limits.nproc]
    return [
        f"`{limits.name}`",
        *("–" if each is None else f"{each:,}" for each in figures),
        f"{limits.memory >> 20} MiB" if limits.memory else "–",
        f"{limits.clients:,}" + (f", {limits.rounds} times" if limits.rounds > 1 else ""),
    ]
