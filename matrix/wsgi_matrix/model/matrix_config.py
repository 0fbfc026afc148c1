"""What ``matrix.toml`` says, as values; :mod:`wsgi_matrix.config.matrix_toml` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from wsgi_matrix.model.axes import DEFAULT_SUITE, App, Limits, Python, Server, Workers
from wsgi_matrix.util.schema_types import FilePath, Regex, Seconds, Text, between, doc


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How cells are run, and which."""

    repeat: Annotated[
        int,
        between(1, 1000),
        doc("How often each request is sent, on connections of its own."),
    ] = 2
    deadline: Annotated[Seconds, doc("Seconds for a cell, from the start of its server.")] = 60.0
    grace: Annotated[
        Seconds, doc("Seconds that a server may take to exit after its stop signal.")
    ] = 10.0
    suites: Annotated[
        tuple[str, ...], doc('The suites that run when none is named; "all" for all of them.')
    ] = (DEFAULT_SUITE,)
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
        doc("Globs on the ids of cells: the matrix is made of these only. Empty: of all."),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """What of each axis a suite runs when nothing is named; an empty list is all of it."""

    servers: Annotated[tuple[str, ...], doc("Names of servers; the first is the reference.")] = ()
    apps: Annotated[tuple[str, ...], doc("Names of apps.")] = ()
    limits: Annotated[tuple[str, ...], doc("Names of limits.")] = ()
    pythons: Annotated[tuple[str, ...], doc("Versions of Python.")] = ()
    workers: Annotated[
        Workers | None, doc("Worker processes of each server, in place of what its table says.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Xfail:
    """A known and allowed difference. One that no longer occurs fails until it is removed."""

    suite: Annotated[Text, doc("The suite whose checks it is about.")]
    cells: Annotated[tuple[str, ...], doc("Globs on the ids of cells.")]
    checks: Annotated[tuple[str, ...], doc("Globs on the ids of checks, or on their aliases.")]
    reason: Annotated[Text, doc("Why it is allowed; reports show it.")]
    detail: Annotated[
        Regex,
        doc(
            "A regular expression that the detail of the check has to match: a failure of "
            "another kind is not the known one.",
            was="says",
        ),
    ] = ""
    sometimes: Annotated[
        bool, doc("Whether it occurs by chance, so that a check which passes is fine too.")
    ] = False

    def matches(self, cell: str, *check: str) -> bool:
        """Whether the entry is about this check of this cell; ``check``: its id and its alias."""
        return any(fnmatchcase(cell, glob) for glob in self.cells) and any(
            fnmatchcase(name, glob) for name in check if name for glob in self.checks
        )


@dataclass(frozen=True, kw_only=True)
class Config:
    """All of ``matrix.toml``, paths made absolute."""

    file: Path
    settings: Settings
    servers: dict[str, Server]
    apps: dict[str, App]
    limits: dict[str, Limits]
    pythons: dict[str, Python]
    build: Path
    """Where all that is made goes: caches, and results in ``matrix/``."""
    suites: dict[str, SuiteSettings] = field(default_factory=dict)
    xfails: tuple[Xfail, ...] = ()
