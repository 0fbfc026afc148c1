"""The options of ``try`` and ``init``, and the matrix that they describe.

Both commands make the same tables: ``try`` runs them, ``init`` writes them to a file.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from wsgi_matrix.cli.common import Names
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.errors import UserError
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.axes import Server
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.suites.traffic import suite as traffic_suite
from wsgi_matrix.util import env_file
from wsgi_matrix.util.toml_file import TomlFile

SERVERS = ("onegate", "gunicorn_sync", "waitress")
"""The default of ``--servers``: they need no compiler, and run as processes too."""
OWN = "own"
"""The name of the user's own server (``--server-command``)."""
MANY = {"multiple": True, "metavar": "TEXT"}

OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--source", {"default": ".", "metavar": "DIRECTORY", "help": "The app's source directory."}),
    (
        "--requirements",
        {"metavar": "FILE", "help": "The app's requirements (default: found in --source)."},
    ),
    (
        "--sdists",
        {
            "is_flag": True,
            "help": "Build requirements without a wheel; this runs their code on this host.",
        },
    ),
    (
        "--servers",
        {"type": Names(), "default": (), "help": "Servers to compare; the first is the reference."},
    ),
    ("--python", {"type": Names(), "default": (), "help": "Python versions, such as 3.11,3.13."}),
    (
        "--limits",
        {
            "type": Names(),
            "default": ("default",),
            "help": "Profiles of resource limits, such as default,fds256.",
        },
    ),
    (
        "--workers",
        {"type": click.IntRange(1, 1000), "help": "Number of worker processes of each server."},
    ),
    (
        "--traffic",
        {**MANY, "help": "Requests to send: a /path, or a .http, HAR, OpenAPI or .txt file."},
    ),
    (
        "--ignore",
        {
            **MANY,
            "help": "Values to ignore: header:NAME, cookie:NAME, json:$.PATH or regex:…; "
            "with `try` also auto.",
        },
    ),
    (
        "--capture",
        {
            **MANY,
            "help": "Set {{NAME}} from a response: NAME=regex:… (or json:, header:, cookie:).",
        },
    ),
    ("--allow-status", {"type": Names(), "default": (), "help": "5xx statuses to accept."}),
    (
        "--host",
        {"metavar": "NAME", "help": "Host of all requests; of a HAR, only send those to it."},
    ),
    ("--header", {**MANY, "help": "'NAME: VALUE', a header field to add to all requests."}),
    ("--var", {**MANY, "help": "NAME=VALUE, for {{NAME}} in traffic and --header."}),
    ("--http-env", {"metavar": "NAME", "help": "Environment in http-client.env.json to use."}),
    ("--largest", {"metavar": "SIZE", "help": "Maximum size of a response (default: 16MiB)."}),
    (
        "--patience",
        {"type": float, "metavar": "SECONDS", "help": "Timeout of a response (default: 10)."},
    ),
    (
        "--deadline",
        {"type": float, "metavar": "SECONDS", "help": "Deadline of a cell (default: 60)."},
    ),
    ("--env", {**MANY, "help": "NAME=VALUE for the app, or NAME to pass on yours."}),
    ("--env-file", {**MANY, "metavar": "FILE", "help": "File with lines NAME=VALUE for the app."}),
    ("--secret", {**MANY, "help": "NAME=FILE, mounted in the cell as /run/secrets/NAME."}),
    (
        "--setup",
        {**MANY, "help": "Command to run before the server, as in 'python manage.py migrate'."},
    ),
    (
        "--writable",
        {"metavar": "PATH", "help": "Directory that the app may write to, such as /data."},
    ),
    (
        "--service",
        {**MANY, "help": "NAME=IMAGE, a container to run with the server: db=postgres:17."},
    ),
    ("--service-env", {**MANY, "help": "NAME:VARIABLE=VALUE, for the service NAME."}),
    (
        "--ready-path",
        {"metavar": "PATH", "help": "Wait until GET of this path succeeds, such as /health."},
    ),
    (
        "--ready-status",
        {"type": int, "metavar": "STATUS", "help": "Status that means ready (default: 200)."},
    ),
    ("--server-image", {"metavar": "IMAGE", "help": "Image of your own server, for containers."}),
    (
        "--server-command",
        {"metavar": "WORDS", "help": "Command of your own server, with {app} and {port}."},
    ),
    (
        "--stop-signal",
        {"metavar": "SIGNAL", "help": "Signal that stops it gracefully (default: SIGTERM)."},
    ),
)


RENAMED = {
    "--beside": "--service",
    "--beside-env": "--service-env",
    "--ready": "--ready-path /health, and --ready-status where that is not 200",
}
"""Former names of options, and what to use instead."""


def options(command: click.decorators.FC) -> click.decorators.FC:
    """The options of ``try`` and ``init``."""
    for name, settings in reversed(OPTIONS):
        command = click.option(name, **settings)(command)
    for name in RENAMED:
        refused = click.option(name, hidden=True, expose_value=False, callback=_refuse)
        command = refused(command)
    return command


def _refuse(_context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        [name] = option.opts
        raise click.UsageError(f"{name} was renamed: use {RENAMED[name]}")


def as_config(data: dict[str, Any], root: Path, build: Path) -> Config:
    """``data`` as a matrix. Raises :class:`~wsgi_matrix.errors.ConfigError`."""
    source = TomlFile(root / matrix_toml.FILE_NAME, name="your options")
    return matrix_toml.from_data(source, data, build)


def tables(app: str, root: Path, **chosen: Any) -> dict[str, Any]:
    """The tables of a matrix with the ``chosen`` options. Raises :class:`UserError`.

    ``root``: the directory that paths are relative to.
    """
    try:
        app_import_string.check(app)
    except ValueError as problem:
        raise UserError(f'"{app}": expected {problem}') from None
    name = _name(app)
    source = Path(root, chosen["source"])
    if not source.is_dir():
        raise UserError(f"--source: no such directory: {source}")
    ours = matrix_toml.built_in(root)
    own = _own(chosen)
    named = [_server(each, ours.servers) for each in chosen["servers"]]
    versions = chosen["python"] or (_version(ours.pythons),)
    made: dict[str, Any] = {
        "run": {"built_in": True, "suites": [traffic_suite.NAME], **_given(chosen, "deadline")},
        "apps": {name: _app(app, root, source, chosen)},
        "pythons": {
            each: {"images": [f"python:{each}-slim"]}
            for each in versions
            if each not in ours.pythons
        },
        "servers": {OWN: own} if own else {},
        "suites": {
            traffic_suite.NAME: {
                "servers": [*([OWN] if own else []), *(named or ([] if own else SERVERS))],
                "pythons": list(versions),
                "limits": list(chosen["limits"]),
                "send": list(chosen["traffic"]) or ["/"],
                "ignore": list(chosen["ignore"]),
                "capture": list(chosen["capture"]),
                "header": list(chosen["header"]),
                "var": list(chosen["var"]),
                "allow_status": list(chosen["allow_status"]),
                **_given(chosen, "http_env", "host", "largest", "patience", "workers"),
            }
        },
    }
    return {key: value for key, value in made.items() if value}


def _name(app: str) -> str:
    """A name for the ids of cells: the package's, without characters that they cannot have."""
    return re.sub(r"[^a-z0-9_]", "", re.split(r"[.:]", app.lower())[0]).lstrip("_") or "app"


def _server(name: str, there: Mapping[str, Server]) -> str:
    """Resolve ``gunicorn`` to its first configuration, unless a server has exactly this name."""
    near = [each for each in there if each.startswith(name + "_")]
    return near[0] if name not in there and near else name


def _version(there: Iterable[str]) -> str:
    """The version of the running Python if it is in ``there``, else the first."""
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    return mine if mine in there else next(iter(there))


def _given(chosen: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: chosen[name] for name in names if chosen[name] is not None}


def _app(app: str, root: Path, source: Path, chosen: Mapping[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = {"path": chosen["source"], "target": app, "resolve": True}
    if chosen["requirements"]:
        file = Path(root, chosen["requirements"])
        if not file.is_file():
            raise UserError(f"--requirements: no such file: {file}")
        table["requirements"] = os.path.relpath(file, source)
    if chosen["sdists"]:
        table["sdists"] = True
    environment: dict[str, str] = {}
    for file in chosen["env_file"]:
        try:
            environment |= env_file.read(Path(root, file))
        except UserError as problem:
            raise UserError(f"--env-file: {problem}") from None
    environment |= _variables(chosen["env"])
    services = _services(chosen)
    secrets = dict(_pair("--secret", each, "NAME=FILE") for each in chosen["secret"])
    setup = list(chosen["setup"])
    found = {"environment": environment, "secrets": secrets, "setup": setup, "services": services}
    table |= {key: value for key, value in found.items() if value}
    return table | _given(chosen, "writable", "ready_path", "ready_status")


def _variables(given: Iterable[str]) -> dict[str, str]:
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals and name not in os.environ:
            raise UserError(f"--env {name}: not set in your environment; use --env {name}=VALUE")
        found[name] = value if equals else os.environ[name]
    return found


def _pair(option: str, text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UserError(f'{option}: expected {form}, not "{text}"')
    return name, value


def _services(chosen: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in chosen["service"]:
        name, image = _pair("--service", each, "NAME=IMAGE")
        found[name] = {"image": image}
    for each in chosen["service_env"]:
        whole, value = _pair("--service-env", each, "NAME:VARIABLE=VALUE")
        name, colon, variable = whole.partition(":")
        if not colon or name not in found:
            raise UserError(f'--service-env: no service "{name}"; declare it with --service')
        found[name].setdefault("environment", {})[variable] = value
    return found


def _own(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The table of the user's own server; empty without ``--server-command``."""
    image, command = chosen["server_image"], chosen["server_command"]
    if not command:
        if chosen["stop_signal"]:
            raise UserError("--stop-signal needs a server of your own: --server-command")
        if image:
            raise UserError('--server-image needs --server-command "… {app} {port}"')
        return {}
    try:
        words = shlex.split(command)
    except ValueError as problem:
        raise UserError(f"--server-command: {problem}") from None
    if not any("{port}" in word for word in words) or not any("{app}" in word for word in words):
        raise UserError("--server-command must contain the placeholders {app} and {port}")
    name = chosen["stop_signal"] or "SIGTERM"
    # A server without a handler is killed by the signal, which then is a graceful stop.
    ending = {"stop_signal": name, "stop_status": _statuses(name)}
    if image:
        return {"image": image, "args": words, **ending}
    program = words[0] if words[0] == "{python}" else shutil.which(words[0])
    if program is None:
        raise UserError(f"--server-command: program not found: {words[0]}")
    # Without an image it only runs as a process; the Docker engine skips it.
    return {"context": ".", "process": [program], "args": words[1:], **ending}


def _statuses(name: str) -> list[int]:
    """Exit statuses that count as clean after the signal ``name``, whose validation comes later."""
    number = signal.Signals.__members__.get(name)
    return [0, *([128 + number] if number else [])]
