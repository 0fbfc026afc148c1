"""The server's container: its confinement, its exit, and what it changes."""

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
from wsgi_matrix.engines.docker.cell_provisioning import FOLDER, CellEnvironment
from wsgi_matrix.engines.docker.client import LABEL
from wsgi_matrix.engines.docker.containers import GONE, dated_lines, last_lines
from wsgi_matrix.engines.docker.volumes import MOUNT
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.axes import Cell, Limits
from wsgi_matrix.probe.protocol import Span

PORT = 8000
"""The same in every cell, since each has its own network namespace."""

NOFILE = 4096
"""RLIMIT_NOFILE if the profile sets none. An engine's own default is anything from 1024 to 2^30,
and its maximum may be low too (20,000 has been observed)."""

PIDS = 4096
"""Maximum processes in a cell, to protect the host; above any RLIMIT_NPROC of a profile."""

DYING = 2.0
"""Seconds until the engine notices the exit of a server that affected its probe."""


class ServerContainer:
    """A server that is created, and then started, in its app environment."""

    def __init__(
        self,
        client: docker.APIClient,
        cell: Cell,
        *,
        image: str,
        environment: CellEnvironment,
        uid: int,
        labels: Mapping[str, str],
    ) -> None:
        self._client, self._cell, self._image, self._cell_environment = (
            client,
            cell,
            image,
            environment,
        )
        self._uid, self._labels = uid, {**labels, LABEL: "cell"}
        self.id = ""
        """Empty until it is created."""
        self._dated: list[tuple[float, str]] | None = None

    def create(self) -> None:
        """Create it, confined by the profile of its cell."""
        cell, limits, uid = self._cell, self._cell.limits, self._uid
        words = server_command(cell, cell.server.args, folder=f"{MOUNT}/app", port=PORT)
        # An image that was not built here may have any entry point, so the whole command is set.
        whole = bool(cell.server.image)
        created = self._client.create_container(
            self._image,
            entrypoint=words[:1] if whole else None,
            command=words[1:] if whole else words,
            user=f"{uid}:{uid}",
            working_dir=FOLDER if whole else MOUNT,
            environment=self._cell_environment.environment,
            labels=self._labels,
            host_config=self._client.create_host_config(
                network_mode=self._cell_environment.network,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=max(PIDS, 2 * (limits.nproc or 0)),
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                ulimits=ulimits(limits),
                binds=self._cell_environment.binds,
                log_config=LogConfig(type="json-file"),
            ),
        )
        self.id = str(created["Id"])

    def start(self) -> None:
        """Start it."""
        self._client.start(self.id)

    def state(self) -> dict[str, Any]:
        """The engine's current state of it."""
        return dict(self._client.inspect_container(self.id)["State"])

    def started(self) -> float:
        """When its first process started, in seconds since the epoch."""
        # datetime does not parse nanoseconds.
        told = re.sub(r"(\.[0-9]{6})[0-9]*", r"\1", str(self.state()["StartedAt"]))
        return datetime.fromisoformat(told).timestamp()

    def wait(self, seconds: float) -> dict[str, Any]:
        """The container's state once it has exited, or after ``seconds``.

        Polled, because the engine's own waiting call has no timeout.
        """
        until, pause = time.monotonic() + seconds, 0.005
        while (state := self.state())["Running"] and time.monotonic() < until:
            time.sleep(pause)
            pause = min(0.05, pause * 1.5)
        return state

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send ``signal`` to its first process, if it is running."""
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
        """Paths in its root that differ from its image."""
        found = self._client.diff(self.id) or []
        # If an image has no such directory, the engine creates it as a mount point.
        made = self._cell_environment.places | getattr(self._client, "made", frozenset())
        return tuple(x["Path"] for x in found if x["Path"] not in made)

    def raise_if_ended(self, what: str) -> None:
        """Raise :class:`CellError` with its log and exit status, if it has exited."""
        try:
            state = self.state()
        except NotFound:
            raise CellError(f"{what}: its container was removed") from None
        if not state["Running"]:
            self._raise_ended(what, state)

    def raise_if_ending(self, what: str) -> None:
        """The same for a server that may just be exiting: its clients may notice that a moment
        before the engine does."""
        state = self.wait(DYING)
        if not state["Running"]:
            self._raise_ended(what, state)

    def _raise_ended(self, what: str, state: dict[str, Any]) -> NoReturn:
        if state["OOMKilled"]:
            what += ", killed by the OOM killer"
        raise CellError(what, self.log(), int(state["ExitCode"]))


def ulimits(limits: Limits) -> list[Ulimit]:
    """The ulimits of a profile, soft and hard; NOFILE is always set."""
    nofile = NOFILE if limits.nofile is None else limits.nofile
    found = [Ulimit(name="nofile", soft=nofile, hard=nofile)]
    if limits.nproc is not None:
        found.append(Ulimit(name="nproc", soft=limits.nproc, hard=limits.nproc))
    return found


def said(error: BaseException) -> str:
    """The engine's error message, without the address of the request."""
    explanation = getattr(error, "explanation", None)
    return str(explanation or error) or type(error).__name__
