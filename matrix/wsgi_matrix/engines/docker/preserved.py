"""What the engine says of containers that were kept after their cell had ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from docker.errors import DockerException, NotFound

from wsgi_matrix.engines.docker.client import connect
from wsgi_matrix.errors import EngineError

HOST = (
    "NetworkMode", "ReadonlyRootfs", "CapDrop", "SecurityOpt", "PidsLimit", "Memory", "Ulimits",
    "Binds", "Init",
)  # fmt: skip
CONFIG = ("Image", "User", "Entrypoint", "Cmd", "Env", "WorkingDir", "StopSignal")
STATE = ("Status", "ExitCode", "OOMKilled", "Error", "StartedAt", "FinishedAt")
"""What of ``docker inspect`` tells how a cell was made and how it ended."""


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
