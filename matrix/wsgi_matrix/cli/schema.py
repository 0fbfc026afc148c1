"""``wsgi-matrix schema``: the JSON Schema of a file, for an editor."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from wsgi_matrix.cli.common import user_errors, write_out
from wsgi_matrix.config import schema as config_schema
from wsgi_matrix.results import results_json
from wsgi_matrix.suites import registry
from wsgi_matrix.suites.contract import contract_file

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "matrix": lambda: config_schema.of_matrix(registry.types()),
    "server": config_schema.of_server,
    "contract": contract_file.schema,
    "results": results_json.schema,
}
"""By file; ``matrix`` has the tables of all installed suites."""


def rendered(name: str) -> str:
    """The text of a schema. Raises :class:`~wsgi_matrix.errors.UserError`."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n"


@click.command()
@click.argument("file", type=click.Choice(list(SCHEMAS)))
def schema(file: str) -> None:
    """Print the JSON Schema of a file format, for editors.

    The formats are matrix.toml, server.toml, the contract and results.json. With the first line
    `#:schema ./matrix.schema.json`, an editor completes and checks the keys of a TOML file.
    """
    with user_errors():
        write_out(rendered(file))
