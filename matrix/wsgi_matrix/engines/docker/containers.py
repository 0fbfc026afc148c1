"""What is asked and done of any container, whatever runs in it, or ran."""

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
"""What of ``docker inspect`` tells how a cell was made and how it ended."""

GONE = (404, 409)
"""Statuses of the engine for a container that is not there, is being removed, or does not run."""

LOG_LINES = 40
DATED_LINES = 10_000
"""Lines of a log in which those of one request are looked for."""


def last_lines(client: docker.APIClient, container: str) -> str:
    """The last lines that were written in ``container``."""
    text = client.logs(container, tail=LOG_LINES)
    return str(text.decode("utf-8", "replace")).strip()


def dated_lines(client: docker.APIClient, container: str) -> list[tuple[float, str]]:
    """The last lines that were written in ``container``, with the time that the engine took each
    at, in seconds since the epoch.
    """
    text = client.logs(container, tail=DATED_LINES, timestamps=True)
    found = []
    for line in text.decode("utf-8", "replace").splitlines():
        stamp, _, rest = line.partition(" ")
        with contextlib.suppress(ValueError):
            # Nanoseconds are more than datetime reads.
            at = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]*", r"\1", stamp))
            found.append((at.timestamp(), rest))
    return found


def end_of(client: docker.APIClient, containers: Sequence[str]) -> None:
    """Remove containers, running or not; ones that are gone already are no error."""
    for container in containers:
        try:
            client.remove_container(container, force=True)
        except APIError as error:
            if error.status_code not in GONE:
                raise


def inspected(containers: Sequence[str]) -> str:
    """The parts of ``docker inspect`` that concern a cell, for each of ``containers``.

    Raises :class:`EngineError` where no engine answers.
    """
    parts = []
    with contextlib.closing(connect()) as client:
        for container in containers:
            try:
                told = json.dumps(_of_interest(client.inspect_container(container)), indent=2)
            except NotFound:
                told = "it is gone: `wsgi-matrix clean` removes what was kept"
            except (DockerException, OSError) as problem:
                raise EngineError(str(problem)) from problem
            parts.append(f"container {container[:12]}: {told}\n")
    return "".join(parts)


def _of_interest(found: dict[str, Any]) -> dict[str, Any]:
    sections = (("Config", CONFIG), ("HostConfig", HOST), ("State", STATE))
    return {
        section: {name: found[section].get(name) for name in names} for section, names in sections
    }
