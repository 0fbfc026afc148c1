"""What is asked and done of any container, whatever runs in it."""

from __future__ import annotations

from collections.abc import Sequence

import docker
from docker.errors import APIError

GONE = (404, 409)
"""Statuses of the engine for a container that is not there, is being removed, or does not run."""

LOG_LINES = 40


def last_lines(client: docker.APIClient, container: str) -> str:
    """The last lines that were written in ``container``."""
    text = client.logs(container, tail=LOG_LINES)
    return str(text.decode("utf-8", "replace")).strip()


def end_of(client: docker.APIClient, containers: Sequence[str]) -> None:
    """Remove containers, running or not; ones that are gone already are no error."""
    for container in containers:
        try:
            client.remove_container(container, force=True)
        except APIError as error:
            if error.status_code not in GONE:
                raise
