"""``wsgi-matrix init``: write the options of ``try`` to a matrix.toml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from wsgi_matrix.cli.common import EPILOG, user_errors
from wsgi_matrix.cli.try_app import config_options
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.errors import UserError
from wsgi_matrix.suites.traffic import suite
from wsgi_matrix.util.atomic_write import write_whole

HEAD = """\
# The matrix of {app}: `wsgi-matrix run` runs it, `wsgi-matrix list` shows its cells.
# Paths are relative to this file.
"""
COMMENTS = {
    "run": "built_in: adds the servers, limits and Pythons that come with wsgi-matrix.",
    "apps": "resolve: requirements are resolved and locked at the first run.",
    "servers": "Your own server. Placeholders: {app}, {folder}, {port}, {workers}.",
    "pythons": "Images with this Python; the first that exists locally or can be pulled is used.",
    "suites": "The first server, Python and limits are the reference for all other cells.",
}
OTHERS = """
# Further tables and keys, if you need them:
#
# [apps.{name}]
# environment = {{ SECRET_KEY = "for tests only" }}
# secrets = {{ token = "token.txt" }}           # mounted as /run/secrets/token
# setup = ["python manage.py migrate"]         # runs before the server starts
# writable = "/data"                           # a writable directory for each cell
# ready_path = "/health"                       # wait until GET returns 200
#
# [apps.{name}.services.db]                    # a container with the host name db
# image = "postgres:17"
# environment = {{ POSTGRES_PASSWORD = "x" }}
#
# [limits.small]
# nofile = 128
# memory = "256MiB"
# clients = 100
#
# [[xfail]]                                    # a known and allowed difference
# suite = "traffic"
# cells = ["waitress-*"]
# checks = ["03-*:same"]
# reason = "…"
"""


@click.command(epilog=EPILOG)
@click.argument("app", metavar="MODULE:CALLABLE")
@config_options.options
@click.option("--force", is_flag=True, help="Overwrite an existing matrix.toml.")
def init(app: str, force: bool, **chosen: Any) -> None:
    """Write a matrix.toml with the options of `try`, for `wsgi-matrix run`."""
    with user_errors():
        root = Path.cwd()
        file = root / matrix_toml.FILE_NAME
        if file.exists() and not force:
            raise UserError(f"{file} already exists; --force overwrites it")
        data = config_options.tables(app, root, **chosen)
        # Validate everything first, so that nothing is written on an error.
        suite.of_config(config_options.as_config(data, root, root / "build"))
        write_whole(file, render(data, app))
        click.echo(f"wrote {file}; run it with: wsgi-matrix run")


def render(data: dict[str, Any], app: str) -> str:
    """``data`` as commented TOML."""
    name = next(iter(data["apps"]))
    parts = [HEAD.format(app=app)]
    for key, table in data.items():
        parts.append(f"# {COMMENTS[key]}\n")
        for title, values in [("run", table)] if key == "run" else _named(key, table):
            lines = [f"{_key(x)} = {_value(value)}" for x, value in values.items() if value != []]
            parts.append("\n".join([f"[{title}]", *lines, ""]))
    return "\n".join(parts) + OTHERS.format(name=name)


def _named(key: str, tables: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The tables under ``key``; services of an app have their own tables."""
    found = []
    for name, table in tables.items():
        title = f"{key}.{_key(name)}"
        services = table.get("services", {})
        found.append((title, {x: value for x, value in table.items() if x != "services"}))
        found += [(f"{title}.services.{_key(x)}", value) for x, value in services.items()]
    return found


def _key(name: str) -> str:
    """A bare key, or a quoted one (TOML 1.0)."""
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _value(name)


def _value(value: Any) -> str:
    """A value as TOML: strings, numbers, booleans, arrays and inline tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(x)} = {_value(each)}" for x, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    # JSON's strings and booleans are valid TOML, except for DEL and surrogate pairs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
