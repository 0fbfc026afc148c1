"""The server's container: how it is confined, how it ends, what it leaves."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig, Ulimit

from wsgi_matrix.engines.commands import server_command
from wsgi_matrix.engines.docker.cell_environment import FOLDER, Around
from wsgi_matrix.engines.docker.client import LABEL
from wsgi_matrix.engines.docker.containers import GONE, dated_lines, last_lines
from wsgi_matrix.engines.docker.volumes import MOUNT
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.axes import Cell, Limits
from wsgi_matrix.probe.protocol import Span

PORT = 8000
"""In the cell's own network namespace, so every cell has the same."""

NOFILE = 4096
"""RLIMIT_NOFILE where the profile sets none. An engine's own default is anything from
1024 to 2^30, and what it may set is bounded too (20,000 was seen)."""

PIDS = 4096
"""Most processes in a cell, to save the machine; above what RLIMIT_NPROC allows in any case."""

DYING = 2.0
"""Seconds in which the engine learns of a server's end that took along what ran beside it."""


class ServerContainer:
    """A server that is to be created, and then started, in what is around it."""

    def __init__(
        self,
        client: docker.APIClient,
        cell: Cell,
        *,
        image: str,
        around: Around,
        uid: int,
        labels: Mapping[str, str],
    ) -> None:
        self._client, self._cell, self._image, self._around = client, cell, image, around
        self._uid, self._labels = uid, {**labels, LABEL: "cell"}
        self.id = ""
        """Empty until it is created."""
        self._dated: list[tuple[float, str]] | None = None

    def create(self) -> None:
        """Create it, confined as the profile of its cell says."""
        cell, limits, uid = self._cell, self._cell.limits, self._uid
        words = server_command(cell, cell.server.args, folder=f"{MOUNT}/app", port=PORT)
        # An image that we did not build may have any entry point: the whole command is told.
        whole = bool(cell.server.image)
        created = self._client.create_container(
            self._image,
            entrypoint=words[:1] if whole else None,
            command=words[1:] if whole else words,
            user=f"{uid}:{uid}",
            working_dir=FOLDER if whole else MOUNT,
            environment=self._around.environment,
            labels=self._labels,
            host_config=self._client.create_host_config(
                network_mode=self._around.network,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=max(PIDS, 2 * (limits.nproc or 0)),
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                ulimits=ulimits(limits),
                binds=self._around.binds,
                log_config=LogConfig(type="json-file"),
            ),
        )
        self.id = str(created["Id"])

    def start(self) -> None:
        """Start it."""
        self._client.start(self.id)

    def state(self) -> dict[str, Any]:
        """What the engine knows of it now."""
        return dict(self._client.inspect_container(self.id)["State"])

    def started(self) -> float:
        """When its first process was started, in seconds since the epoch."""
        # Nanoseconds are more than datetime reads.
        told = re.sub(r"(\.[0-9]{6})[0-9]*", r"\1", str(self.state()["StartedAt"]))
        return datetime.fromisoformat(told).timestamp()

    def wait(self, seconds: float) -> dict[str, Any]:
        """The container's state once it has ended, or after ``seconds``.

        Asked for again and again, because the engine's own waiting call has no time-out.
        """
        until, pause = time.monotonic() + seconds, 0.005
        while (state := self.state())["Running"] and time.monotonic() < until:
            time.sleep(pause)
            pause = min(0.05, pause * 1.5)
        return state

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send ``signal`` to its first process, if it runs."""
        try:
            self._client.kill(self.id, signal)
        except APIError as error:
            if error.status_code not in GONE:
                raise

    def log(self) -> str:
        """The last lines that the server wrote."""
        try:
            return last_lines(self._client, self.id)
        except DockerException as error:
            return f"(no log: {said(error)})"

    def wrote(self, span: Span) -> str:
        """What the server wrote in ``span``, by the engine's clock, which is the probe's too."""
        if self._dated is None:
            try:
                self._dated = dated_lines(self._client, self.id)
            except DockerException:
                self._dated = []
        return "\n".join(line for at, line in self._dated if span.began <= at < span.ended)

    def changed(self) -> tuple[str, ...]:
        """Paths in its root that are otherwise than in its image."""
        found = self._client.diff(self.id) or []
        # Where an image has no such folder the engine makes it, to mount something there.
        made = self._around.places | getattr(self._client, "made", frozenset())
        return tuple(x["Path"] for x in found if x["Path"] not in made)

    def raise_if_ended(self, what: str) -> None:
        """Raise :class:`CellError` with all that is known of its end, if it has ended."""
        try:
            state = self.state()
        except NotFound:
            raise CellError(f"{what}: its container is gone") from None
        if not state["Running"]:
            self._raise_ended(what, state)

    def raise_if_ending(self, what: str) -> None:
        """The same for a server that shows signs of its end: whoever spoke with it may know of
        that a moment before the engine does."""
        state = self.wait(DYING)
        if not state["Running"]:
            self._raise_ended(what, state)

    def _raise_ended(self, what: str, state: dict[str, Any]) -> NoReturn:
        if state["OOMKilled"]:
            what += ", killed for want of memory"
        raise CellError(what, self.log(), int(state["ExitCode"]))


def ulimits(limits: Limits) -> list[Ulimit]:
    """The ulimits of a profile, soft and hard; NOFILE is always set."""
    nofile = NOFILE if limits.nofile is None else limits.nofile
    found = [Ulimit(name="nofile", soft=nofile, hard=nofile)]
    if limits.nproc is not None:
        found.append(Ulimit(name="nproc", soft=limits.nproc, hard=limits.nproc))
    return found


def said(error: BaseException) -> str:
    """What the engine said, without the address that was asked."""
    explanation = getattr(error, "explanation", None)
    return str(explanation or error) or type(error).__name__
