"""What is asked and done of any container, whatever runs in it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from datetime import datetime

import docker
from docker.errors import APIError

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
