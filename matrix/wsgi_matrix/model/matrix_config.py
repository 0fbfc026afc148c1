"""The settings in ``matrix.toml``; :mod:`wsgi_matrix.config.matrix_toml` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from wsgi_matrix.model.axes import DEFAULT_SUITE, App, Limits, Python, Server, Workers
from wsgi_matrix.util.schema_types import FilePath, Regex, Seconds, Text, between, doc


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run cells, and which."""

    repeat: Annotated[
        int,
        between(1, 1000),
        doc("How many times to send each request, each on a new connection."),
    ] = 2
    deadline: Annotated[
        Seconds, doc("Maximum seconds for a cell, from the start of its server.")
    ] = 60.0
    grace: Annotated[
        Seconds, doc("Seconds that a server may take to exit after its stop signal.")
    ] = 10.0
    suites: Annotated[tuple[str, ...], doc('Suites to run by default; "all" for all of them.')] = (
        DEFAULT_SUITE,
    )
    built_in: Annotated[
        bool,
        doc(
            "Add the servers, limits and Pythons that come with wsgi-matrix to those of this file.",
            was="shipped",
        ),
    ] = False
    peers: Annotated[
        FilePath | None,
        doc("A directory: each of its subdirectories with a server.toml adds servers."),
    ] = None
    cells: Annotated[
        tuple[str, ...],
        doc("Globs on the ids of cells; only these are part of the matrix. Empty: all."),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """What a suite runs of each axis by default; an empty list means all of it."""

    servers: Annotated[tuple[str, ...], doc("Names of servers; the first is the reference.")] = ()
    apps: Annotated[tuple[str, ...], doc("Names of apps.")] = ()
    limits: Annotated[tuple[str, ...], doc("Names of limits.")] = ()
    pythons: Annotated[tuple[str, ...], doc("Versions of Python.")] = ()
    workers: Annotated[
        Workers | None, doc("Worker processes of each server, instead of those in its table.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Xfail:
    """A known and allowed difference. One that no longer occurs fails until it is removed."""

    suite: Annotated[Text, doc("The suite that the checks belong to.")]
    cells: Annotated[tuple[str, ...], doc("Globs on the ids of cells.")]
    checks: Annotated[tuple[str, ...], doc("Globs on the ids of checks, or on their aliases.")]
    reason: Annotated[Text, doc("Why it is allowed; reports show it.")]
    detail: Annotated[
        Regex,
        doc(
            "A regular expression that the detail of the check must match, so that another failure "
            "of the check is not allowed.",
            was="says",
        ),
    ] = ""
    sometimes: Annotated[
        bool, doc("Whether it occurs only sometimes; the check may then pass too.")
    ] = False

    def matches(self, cell: str, *check: str) -> bool:
        """Whether the entry applies to this check of this cell; ``check``: its id and its alias."""
        return any(fnmatchcase(cell, glob) for glob in self.cells) and any(
            fnmatchcase(name, glob) for name in check if name for glob in self.checks
        )


@dataclass(frozen=True, kw_only=True)
class Config:
    """All of ``matrix.toml``, with absolute paths."""

    file: Path
    settings: Settings
    servers: dict[str, Server]
    apps: dict[str, App]
    limits: dict[str, Limits]
    pythons: dict[str, Python]
    build: Path
    """Directory for caches, and for results in ``matrix/``."""
    suites: dict[str, SuiteSettings] = field(default_factory=dict)
    xfails: tuple[Xfail, ...] = ()
