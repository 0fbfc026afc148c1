"""What ``matrix.toml`` says, as values; :mod:`wsgi_matrix.config.matrix_toml` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from wsgi_matrix.model.axes import App, Limits, Python, Server

LARGEST_ANSWER = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The table ``[run]``. ``deadline``: seconds for a cell; ``grace``: for stopping it."""

    repeat: int = 2
    deadline: float = 60.0
    grace: float = 10.0
    suites: tuple[str, ...] = ("hello",)
    """What is run when nobody says which."""
    shipped: bool = False
    """The servers, limits and Pythons that come with wsgi-matrix are there too."""
    peers: Path | None = None
    """Folder whose sub-folders with a ``server.toml`` are servers too."""
    cells: tuple[str, ...] = ()
    """Globs on the ids of cells: the matrix is made of these only. Empty: of all."""


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """A table ``[suites.NAME]``: what of each axis runs when nobody says which; empty: all."""

    servers: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    contract: Path | None = None
    """File with the exchanges of the suite ``contract``."""
    reference_app: str = ""
    reference_server: str = ""
    """Whom answers are compared with, over the apps and over the servers."""
    send: tuple[str, ...] = ()
    """Of the suite ``traffic``: paths of the app, and files in one of the forms that are known."""
    ignore: tuple[str, ...] = ()
    """What is left out when answers are compared: ``header:NAME``, ``json:$.PATH``, …"""
    capture: tuple[str, ...] = ()
    """Values that are taken from answers: ``NAME=regex:…``."""
    header: tuple[str, ...] = ()
    """``NAME: VALUE``: fields of all requests."""
    var: tuple[str, ...] = ()
    """``NAME=VALUE``: what ``{{NAME}}`` in traffic stands for."""
    http_env: str = ""
    """The environment of ``http-client.env.json`` that variables are taken from."""
    allow_status: tuple[str, ...] = ()
    """Server errors that are no fault."""
    workers: int | None = None
    """Processes of each server; ``None``: as the server's own table says."""
    host: str = ""
    """The Host of all requests; empty: what the traffic says."""
    largest: int = LARGEST_ANSWER
    patience: float = 10.0
    """Octets and seconds of one answer after which it is given up."""


@dataclass(frozen=True, kw_only=True)
class Xfail:
    """An entry ``[[xfail]]``; ``cells`` and ``checks`` are globs on ids, or a check's alias."""

    suite: str
    cells: tuple[str, ...]
    checks: tuple[str, ...]
    reason: str
    says: str = ""
    """Expression that the detail has to match: a failure of another kind is not the known one."""
    sometimes: bool = False
    """Whether it is chance that it happens."""

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
