"""Functions for any container, whatever runs in it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound

from wsgi_matrix.engines.docker.client import connect
from wsgi_matrix.errors import EngineError

HOST = (
    "NetworkMode", "ReadonlyRootfs", "CapDrop", "SecurityOpt", "PidsLimit", "Memory", "Ulimits",
    "Binds", "Init",
)  # fmt: skip
CONFIG = ("Image", "User", "Entrypoint", "Cmd", "Env", "WorkingDir", "StopSignal")
STATE = ("Status", "ExitCode", "OOMKilled", "Error", "StartedAt", "FinishedAt")
"""The parts of ``docker inspect`` that show how a cell was created and how it ended."""

GONE = (404, 409)
"""Statuses of the engine for a container that is missing, being removed, or not running."""

LOG_LINES = 40
DATED_LINES = 10_000
"""Number of log lines that are searched for those of one request."""


def last_lines(client: docker.APIClient, container: str) -> str:
    """The last lines of the log of ``container``."""
    text = client.logs(container, tail=LOG_LINES)
    return str(text.decode("utf-8", "replace")).strip()


def dated_lines(client: docker.APIClient, container: str) -> list[tuple[float, str]]:
    """The last lines of the log of ``container``, with the engine's time of each, in seconds since
    the epoch.
    """
    text = client.logs(container, tail=DATED_LINES, timestamps=True)
    found = []
    for line in text.decode("utf-8", "replace").splitlines():
        stamp, _, rest = line.partition(" ")
        with contextlib.suppress(ValueError):
            # datetime does not parse nanoseconds.
            at = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]*", r"\1", stamp))
            found.append((at.timestamp(), rest))
    return found


def remove_containers(client: docker.APIClient, containers: Sequence[str]) -> None:
    """Remove containers, running or not; it is no error if they do not exist."""
    for container in containers:
        try:
            client.remove_container(container, force=True)
        except APIError as error:
            if error.status_code not in GONE:
                raise


def inspected(containers: Sequence[str]) -> str:
    """The parts of ``docker inspect`` that are relevant to a cell, for each of ``containers``.

    Raises :class:`EngineError` if no engine responds.
    """
    parts = []
    with contextlib.closing(connect()) as client:
        for container in containers:
            try:
                text = json.dumps(_of_interest(client.inspect_container(container)), indent=2)
            except NotFound:
                text = "removed; `wsgi-matrix clean` removes preserved containers"
            except (DockerException, OSError) as problem:
                raise EngineError(str(problem)) from problem
            parts.append(f"container {container[:12]}: {text}\n")
    return "".join(parts)


def _of_interest(found: dict[str, Any]) -> dict[str, Any]:
    sections = (("Config", CONFIG), ("HostConfig", HOST), ("State", STATE))
    return {
        section: {name: found[section].get(name) for name in names} for section, names in sections
    }
