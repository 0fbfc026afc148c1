"""The top level of ``matrix.toml`` and ``server.toml``, and where they differ from the model.

The keys of their tables are declared in the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from wsgi_matrix.model.app_environment import AppEnvironment
from wsgi_matrix.model.axes import (
    App,
    AppSource,
    Limits,
    Python,
    Server,
    ServerArguments,
    ServerBuild,
)
from wsgi_matrix.model.matrix_config import Settings, Xfail
from wsgi_matrix.suites.api import SuiteType
from wsgi_matrix.util import json_schema
from wsgi_matrix.util.schema_types import Name, TableName, Text, doc, expect, whole, written_as

Version = Annotated[str, expect('a version such as "3.11"', pattern=whole("3[.][0-9]{1,2}"))]


@dataclass(frozen=True, kw_only=True)
class AppTable(AppSource, AppEnvironment):
    """An application: its directory, its requirements, and the environment that it needs."""

    name: TableName

    def app(self) -> App:
        """The table as a model value."""
        return App(
            name=self.name,
            needs=AppEnvironment(**_of(self, AppEnvironment)),
            **_of(self, AppSource),
        )


def _of(table: AppTable, kind: Any) -> dict[str, Any]:
    return {each.name: getattr(table, each.name) for each in fields(kind)}


def _app(table: AppTable, _root: Path) -> App:
    return table.app()


@dataclass(frozen=True, kw_only=True)
class MatrixFile:
    """A matrix: servers, apps, limits and Pythons, and which of their combinations run."""

    run: Annotated[Settings, doc("How to run cells, and which.")] = field(default_factory=Settings)
    servers: Annotated[dict[Name, Server], doc("Servers under test; names have no hyphen.")] = (
        field(default_factory=dict)
    )
    apps: Annotated[
        dict[Name, Annotated[App, written_as(AppTable, _app)]],
        doc("Applications; names have no hyphen."),
    ] = field(default_factory=dict)
    limits: Annotated[
        dict[Name, Limits], doc("Profiles of resource limits; names have no hyphen.")
    ] = field(default_factory=dict)
    pythons: Annotated[
        dict[Version, Python], doc('Versions of Python, such as [pythons."3.11"].')
    ] = field(default_factory=dict)
    suites: Annotated[
        dict[str, dict[str, Any]], doc("Options of suites, and what they run of each axis.")
    ] = field(default_factory=dict)
    xfail: Annotated[
        tuple[Xfail, ...], doc("Known and allowed differences, each with its reason.")
    ] = ()


@dataclass(frozen=True, kw_only=True)
class ServerFile(ServerBuild):
    """The build inputs of a server with its own directory, and the ways to run it."""

    product: Annotated[Text, doc("The server's name, for reports.")] = field()
    version: Annotated[Text, doc("The pinned version, for reports.")] = field()
    servers: Annotated[
        dict[Name, ServerArguments],
        doc("A table for each way to run it; names have no hyphen."),
    ]


def of_matrix(suites: Mapping[str, SuiteType]) -> dict[str, Any]:
    """The JSON Schema of ``matrix.toml``, with the tables of ``suites``."""
    tables = {name: Annotated[each.settings, doc(each.about)] for name, each in suites.items()}
    title = "matrix.toml of wsgi-matrix"
    return json_schema.of_file_with(MatrixFile, title, "suites", tables)


def of_server() -> dict[str, Any]:
    """The JSON Schema of ``server.toml``."""
    return json_schema.of_file(ServerFile, "server.toml of wsgi-matrix")
