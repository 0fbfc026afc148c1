"""One cell made of containers, from start to end: the server's, and the probe's next to it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future

import docker
from docker.errors import APIError, DockerException

from wsgi_matrix.engines import probe_output
from wsgi_matrix.engines.docker import limits_and_usage
from wsgi_matrix.engines.docker.cell_provisioning import CellEnvironment
from wsgi_matrix.engines.docker.client import CELL, LABEL
from wsgi_matrix.engines.docker.prepare import Parts
from wsgi_matrix.engines.docker.probe import ProbeContainer
from wsgi_matrix.engines.docker.server import DYING, PORT, ServerContainer, said
from wsgi_matrix.engines.ready_log import ReadyLog
from wsgi_matrix.errors import CellError, NotHere
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import Observed, Stopped
from wsgi_matrix.probe.protocol import Job, Report

PROBE_MARGIN = 5.0
"""Seconds after its own deadline when the probe is considered to hang."""


class DockerRunning:
    """A server in a container; implements :class:`wsgi_matrix.engines.api.Running`."""

    def __init__(
        self,
        client: docker.APIClient,
        pool: Executor,
        cell: Cell,
        parts: Parts,
        *,
        uid: int,
        labels: dict[str, str],
    ) -> None:
        """``uid`` and the next one belong to this cell alone. ``labels`` identify its owner."""
        self.image = parts.image
        self.framework_version = parts.framework_version
        self.containers: list[str] = []
        """Containers to remove at the end, in this order."""
        self.cell_id = cell.id
        self.engine_seconds = 0.0
        self._client, self._pool, self._cell, self._parts = client, pool, cell, parts
        self._beside_uid, self._labels = uid + 1, {**labels, CELL: cell.id}
        self.cell_environment = CellEnvironment(
            client,
            cell,
            image=parts.image.id,
            base=parts.base,
            bundle_volume=parts.bundle_volume,
            uid=uid,
            labels=self._labels,
        )
        self._server = ServerContainer(
            client,
            cell,
            image=parts.image.id,
            environment=self.cell_environment,
            uid=uid,
            labels=self._labels,
        )
        self._ready_log = ReadyLog(cell.server.ready_log)
        self._making: Future[ProbeContainer] | None = None
        self._observed: Future[Observed] | None = None
        self._probe: Future[ProbeContainer] | None = None

    def start(self) -> None:
        """Start the server. While it starts, its probe is created and started, and its limits are
        read back. Raises :class:`CellError`.
        """
        self.cell_environment.set_up()
        server = self._server
        try:
            with self._waiting():
                server.create()
                self.containers.append(server.id)
                self._making = self._pool.submit(self._create_probe)
                server.start()
        except (DockerException, OSError) as error:
            if "setting rlimit" in said(error):
                raise NotHere(
                    f"nofile {self._cell.limits.nofile} is above this Docker engine's maximum "
                    "(its own hard limit, or fs.nr_open)"
                ) from error
            raise CellError(
                f"the server's container could not be started: {said(error)}"
            ) from error
        self._observed = self._pool.submit(
            limits_and_usage.limits, self._client, server.id, self._beside_uid
        )
        self._probe = self._pool.submit(self._start_probe, self._making)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        """Measure time that is only spent waiting for the engine."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.engine_seconds += time.monotonic() - began

    def _create_probe(self) -> ProbeContainer:
        made = ProbeContainer(
            self._client,
            self._server.id,
            image=self._parts.base,
            volume=self._parts.probe_volume,
            uid=self._beside_uid,
            labels={**self._labels, LABEL: "probe"},
        )
        self.containers.insert(0, made.id)
        return made

    def _start_probe(self, making: Future[ProbeContainer]) -> ProbeContainer:
        made = making.result()
        made.start()
        return made

    def observed(self) -> Observed:
        """Read inside the container while the server starts; see :class:`.Running`."""
        assert self._observed is not None
        try:
            with self._waiting():
                return self._observed.result()
        except (DockerException, OSError, ValueError) as error:
            self._server.raise_if_ending("the server exited at once")
            raise CellError(
                f"the limits could not be read back inside the container: {said(error)}",
                self._server.log(),
            ) from error

    def probe(self, job: Job) -> Report:
        """See :class:`wsgi_matrix.engines.api.Running`."""
        server = self._server
        output, words = self._run_probe(job)
        text = words[-500:].decode("utf-8", "replace").strip()
        report = probe_output.read_report(output, job, text, server.log, server.wrote)
        if reason := probe_output.why_unready(report, PORT, job):
            self._raise_if_not_opened()
            raise CellError(reason, server.log())
        # A port can be open before the app is loaded. If loading it fails, that is no verdict on
        # any request; but if limits prevent a server from responding, its exit is one.
        if not probe_output.received_response(report) and not self._cell.limits.bounded:
            server.raise_if_ending("the server exited before it sent any response")
        return report

    def _run_probe(self, job: Job) -> tuple[bytes, bytes]:
        """The probe's stdout and stderr. Raises :class:`CellError`."""
        assert self._probe is not None
        server, until = self._server, time.monotonic() + job.deadline + PROBE_MARGIN
        self._ready_log.wait(job.deadline, server.log, self._raise_if_not_ready)
        try:
            with self._waiting():
                beside = self._probe.result()
            return beside.run(job.encode(PORT), until, self._raise_if_not_opened, job.waits)
        except TimeoutError:
            server.raise_if_ended("the server exited before the probe was done")
            raise CellError(
                f"the probe was not done within {job.deadline:g} s", server.log()
            ) from None
        except (DockerException, OSError, OverflowError) as error:
            self._raise_if_not_opened()
            raise CellError(f"the probe could not be run: {said(error)}", server.log()) from error

    def _raise_if_not_ready(self) -> None:
        self._server.raise_if_ended("the server exited before it was ready")

    def _raise_if_not_opened(self) -> None:
        self._server.raise_if_ended("the server exited before its port was open")

    def started(self) -> float:
        """See :class:`wsgi_matrix.engines.api.Running`."""
        return self._server.started()

    def memory(self) -> int | None:
        """See :class:`wsgi_matrix.engines.api.Running`."""
        return limits_and_usage.memory(self._client, self._server.id)

    def zombies(self) -> int | None:
        """See :class:`wsgi_matrix.engines.api.Running`. Read inside, as another user."""
        try:
            with self._waiting():
                return limits_and_usage.zombies(self._client, self._server.id, self._beside_uid)
        except (APIError, ValueError) as error:
            # When it exits, what runs inside is killed a moment before the engine notices.
            if not self._server.wait(DYING)["Running"]:
                return None
            raise CellError(f"its processes cannot be listed: {said(error)}") from error

    def stop(self, grace: float) -> Stopped:
        """See :class:`wsgi_matrix.engines.api.Running`."""
        server = self._server
        with self._waiting():
            early = not server.state()["Running"]
            server.kill(self._cell.server.stop_signal)
        state = server.wait(grace)
        forced = bool(state["Running"])
        if forced:
            server.kill()
            state = server.wait(grace)
        with self._waiting():
            log, changed = server.log(), server.changed()
        return Stopped(
            exit_status=None if state["Running"] else int(state["ExitCode"]),
            oom_killed=bool(state["OOMKilled"]),
            log=log,
            changed=changed,
            forced=forced,
            early=early,
        )

    def kill(self) -> None:
        """Kill the server, or what runs before it starts, from any thread."""
        if self._server.id:
            self._server.kill()
        else:
            self.cell_environment.kill()

    def close(self) -> None:
        """Wait for background work, so that nothing is created after the cell's end."""
        for future in (self._making, self._probe, self._observed):
            if future is not None:
                future.exception()
        if self._making is not None and self._making.exception() is None:
            self._making.result().close()
