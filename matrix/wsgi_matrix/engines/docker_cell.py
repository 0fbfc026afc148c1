"""One cell in containers: the server's, and the probe's beside it."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig, Ulimit

from wsgi_matrix import probe
from wsgi_matrix.engines import CellError, NotHere, zombies
from wsgi_matrix.engines.docker_around import FOLDER, Around
from wsgi_matrix.engines.docker_client import CELL, LABEL
from wsgi_matrix.engines.docker_limits import read_limits
from wsgi_matrix.engines.docker_probe import ProbeContainer
from wsgi_matrix.engines.docker_volumes import MOUNT
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import Image, Observed, Stopped
from wsgi_matrix.probe import Job, Report

PORT = 8000
"""In the cell's own network namespace, so every cell has the same."""

NOFILE = 4096
"""RLIMIT_NOFILE where the profile sets none. An engine's own default is anything from
1024 to 2^30, and what it may set is bounded too (20,000 was seen)."""

PIDS = 4096
"""Most processes in a cell, to save the machine; above what RLIMIT_NPROC allows in any case."""

LOG_LINES = 40
READY_PAUSE = 0.02
"""Seconds between two looks at the log of a server that has a ready sign."""
DYING = 2.0
"""Seconds in which the engine learns of a server's end that took along what ran beside it."""
PROBE_MARGIN = 5.0
"""Seconds beyond its own deadline after which the probe itself counts as hanging."""

GONE = (404, 409)
"""Statuses of the engine for a container that is not there, or does not run."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What was prepared for a cell."""

    image: Image
    base: str
    bundle_volume: str
    probe_volume: str
    framework_version: str


class DockerRunning:
    """A server in a container; implements :class:`wsgi_matrix.engines.Running`."""

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
        """``uid`` and the one above it are this cell's alone. ``labels`` say whose it is."""
        self.image = parts.image
        self.framework_version = parts.framework_version
        self.containers: list[str] = []
        """What has to be removed in the end, in this order."""
        self.cell_id = cell.id
        self.engine_seconds = 0.0
        self._client, self._pool, self._cell, self._parts = client, pool, cell, parts
        self._uid, self._labels = uid, {**labels, CELL: cell.id}
        self.around = Around(
            client,
            cell,
            image=parts.image.id,
            base=parts.base,
            bundle_volume=parts.bundle_volume,
            uid=uid,
            labels=self._labels,
        )
        self._server = ""
        self._making: Future[ProbeContainer] | None = None
        self._observed: Future[Observed] | None = None
        self._probe: Future[ProbeContainer] | None = None

    def start(self) -> None:
        """Start the server, and beside it all that can be done while it starts: its probe is made
        and started, its limits are read back. Raises :class:`CellError`.
        """
        self.around.set_up()
        try:
            with self._waiting():
                self._server = self._create(self._parts)
                self.containers.append(self._server)
                self._making = self._pool.submit(self._create_probe, self._parts)
                self._client.start(self._server)
        except (DockerException, OSError) as error:
            if "setting rlimit" in _said(error):
                raise NotHere(
                    f"nofile {self._cell.limits.nofile} is above what this Docker engine may set "
                    "(its own hard limit, or fs.nr_open)"
                ) from error
            raise CellError(
                f"the server's container could not be started: {_said(error)}"
            ) from error
        self._observed = self._pool.submit(read_limits, self._client, self._server, self._uid + 1)
        self._probe = self._pool.submit(self._start_probe, self._making)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        """Count what the cell waits here for the engine alone."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.engine_seconds += time.monotonic() - began

    def _create(self, parts: Parts) -> str:
        cell, limits, uid = self._cell, self._cell.limits, self._uid
        values = {
            "app": cell.app.target,
            "folder": f"{MOUNT}/app",
            "port": str(PORT),
            "threads": str(cell.server.threads),
            "workers": str(cell.server.workers),
        }
        nofile = NOFILE if limits.nofile is None else limits.nofile
        ulimits = [Ulimit(name="nofile", soft=nofile, hard=nofile)]
        if limits.nproc is not None:
            ulimits.append(Ulimit(name="nproc", soft=limits.nproc, hard=limits.nproc))
        words = [word.format_map(values) for word in cell.server.args]
        # An image that we did not build may have any entry point: the whole command is told.
        whole = bool(cell.server.image)
        created = self._client.create_container(
            parts.image.id,
            entrypoint=words[:1] if whole else None,
            command=words[1:] if whole else words,
            user=f"{uid}:{uid}",
            working_dir=FOLDER if whole else MOUNT,
            environment=self.around.environment,
            labels={**self._labels, LABEL: "cell"},
            host_config=self._client.create_host_config(
                network_mode=self.around.network,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=max(PIDS, 2 * (limits.nproc or 0)),
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                ulimits=ulimits,
                binds=self.around.binds,
                log_config=LogConfig(type="json-file"),
            ),
        )
        return str(created["Id"])

    def _create_probe(self, parts: Parts) -> ProbeContainer:
        made = ProbeContainer(
            self._client,
            self._server,
            image=parts.base,
            volume=parts.probe_volume,
            uid=self._uid + 1,
            labels={**self._labels, LABEL: "probe"},
        )
        self.containers.insert(0, made.id)
        return made

    def _start_probe(self, making: Future[ProbeContainer]) -> ProbeContainer:
        made = making.result()
        made.start()
        return made

    def observed(self) -> Observed:
        """Read from inside while the server starts; see :class:`wsgi_matrix.engines.Running`."""
        assert self._observed is not None
        try:
            with self._waiting():
                return self._observed.result()
        except (DockerException, OSError, ValueError) as error:
            self._raise_if_ending("the server ended at once")
            raise CellError(
                f"the limits could not be read back from inside: {_said(error)}", self.log()
            ) from error

    def probe(self, job: Job) -> Report:
        """See :class:`wsgi_matrix.engines.Running`."""
        assert self._probe is not None
        until = time.monotonic() + job.deadline + PROBE_MARGIN
        self._wait_ready(job.deadline)
        try:
            with self._waiting():
                beside = self._probe.result()
            output, said = beside.run(job.encode(PORT), until, self._watch)
            report = probe.read(output, job)
        except TimeoutError:
            self._raise_if_ended("the server ended before the probe was done")
            raise CellError(
                f"the probe was not done within {job.deadline:g} s", self.log()
            ) from None
        except (DockerException, OSError, OverflowError) as error:
            self._raise_if_ended("the server ended before its port was open")
            raise CellError(f"the probe could not be run: {_said(error)}", self.log()) from error
        except ValueError as error:
            text = said[-500:].decode("utf-8", "replace").strip()
            raise CellError(f"the probe failed: {error}: {text}", self.log()) from error
        if report.unready:
            reason = f"port {PORT} did not open within {job.deadline:g} s ({report.unready})"
            self._raise_if_ended("the server ended before its port was open")
            raise CellError(reason, self.log())
        # A port can be open before the app is loaded. That it then could not be is no verdict on
        # any request; where limits keep a server from answering, that it ended over it is one.
        heard = any(e.response for es in report.exchanges for e in es)
        heard = heard or any(
            x.what == "received" for t in report.transcripts.values() for x in t.lines
        )
        if not report.burst.answers and not heard and not self._cell.limits.bounded:
            self._raise_if_ending("the server ended before it had answered anything")
        return report

    def _wait_ready(self, seconds: float) -> None:
        """Wait for the server's ready sign in its log, if it has one."""
        sign = self._cell.server.ready
        until = time.monotonic() + seconds
        while sign and not re.search(sign, self.log()):
            self._raise_if_ended("the server ended before it was ready")
            if time.monotonic() > until:
                raise CellError(f"its log did not say {sign!r} within {seconds:g} s", self.log())
            time.sleep(READY_PAUSE)

    def _watch(self) -> None:
        self._raise_if_ended("the server ended before its port was open")

    def started(self) -> float:
        """See :class:`wsgi_matrix.engines.Running`."""
        # Nanoseconds are more than datetime reads.
        told = re.sub(r"(\.[0-9]{6})[0-9]*", r"\1", str(self._state()["StartedAt"]))
        return datetime.fromisoformat(told).timestamp()

    def memory(self) -> int | None:
        """See :class:`wsgi_matrix.engines.Running`. As the engine reads it from the cgroup."""
        try:
            told = self._client.stats(self._server, stream=False, one_shot=True)
        except APIError as error:
            if error.status_code not in GONE:
                raise
            return None
        values = told.get("memory_stats", {}).get("stats", {})
        # The two versions of control groups have a name each.
        found = values.get("anon", values.get("total_rss"))
        return int(found) or None if found is not None else None

    def zombies(self) -> int | None:
        """See :class:`wsgi_matrix.engines.Running`. Seen from inside, by another user."""
        for last in (False, True):
            try:
                return self._seen_zombies()
            except (APIError, ValueError) as error:
                # Its end takes along what runs inside a moment before the engine knows of it.
                if not self._wait(DYING)["Running"]:
                    return None
                if last:  # a busy engine loses what was said, now and then; not twice
                    raise CellError(f"its processes cannot be seen: {_said(error)}") from error
        return None

    def _seen_zombies(self) -> int:
        user, code = f"{self._uid + 1}:{self._uid + 1}", Path(zombies.__file__).read_text()
        command = ["python3", "-I", "-S", "-c", code]
        with self._waiting():
            made = self._client.exec_create(self._server, command, user=user, stderr=False)
            said = self._client.exec_start(made["Id"])
        return len(json.loads(said))

    def stop(self, grace: float) -> Stopped:
        """See :class:`wsgi_matrix.engines.Running`."""
        with self._waiting():
            early = not self._state()["Running"]
            self.kill(self._cell.server.stop_signal)
        state = self._wait(grace)
        forced = bool(state["Running"])
        if forced:
            self.kill("SIGKILL")
            state = self._wait(grace)
        with self._waiting():
            log, changed = self.log(), self._changed()
        return Stopped(
            exit_status=None if state["Running"] else int(state["ExitCode"]),
            oom_killed=bool(state["OOMKilled"]),
            log=log,
            changed=changed,
            forced=forced,
            early=early,
        )

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send ``signal`` to the server's first process, if it runs."""
        if not self._server:
            self.around.kill()
            return
        try:
            self._client.kill(self._server, signal)
        except APIError as error:
            if error.status_code not in GONE:
                raise

    def log(self) -> str:
        """The last lines that the server wrote."""
        try:
            text = self._client.logs(self._server, tail=LOG_LINES)
        except DockerException as error:
            return f"(no log: {_said(error)})"
        return str(text.decode("utf-8", "replace")).strip()

    def close(self) -> None:
        """Wait for what was begun, so that nothing is made after the cell's end."""
        for future in (self._making, self._probe, self._observed):
            if future is not None:
                future.exception()
        if self._making is not None and self._making.exception() is None:
            self._making.result().close()

    def _state(self) -> dict[str, Any]:
        return dict(self._client.inspect_container(self._server)["State"])

    def _wait(self, seconds: float) -> dict[str, Any]:
        """The container's state once it has ended, or after ``seconds``.

        Asked for again and again, because the engine's own waiting call has no time-out.
        """
        until, pause = time.monotonic() + seconds, 0.005
        while (state := self._state())["Running"] and time.monotonic() < until:
            time.sleep(pause)
            pause = min(0.05, pause * 1.5)
        return state

    def _changed(self) -> tuple[str, ...]:
        found = self._client.diff(self._server) or []
        # Where an image has no such folder the engine makes it, to mount something there.
        made = self.around.places | getattr(self._client, "made", frozenset())
        return tuple(x["Path"] for x in found if x["Path"] not in made)

    def _raise_if_ended(self, what: str) -> None:
        try:
            state = self._state()
        except NotFound:
            raise CellError(f"{what}: its container is gone") from None
        if not state["Running"]:
            self._raise_ended(what, state)

    def _raise_if_ending(self, what: str) -> None:
        """The same for a server that shows signs of its end: whoever spoke with it may know of
        that a moment before the engine does."""
        state = self._wait(DYING)
        if not state["Running"]:
            self._raise_ended(what, state)

    def _raise_ended(self, what: str, state: dict[str, Any]) -> NoReturn:
        if state["OOMKilled"]:
            what += ", killed for want of memory"
        raise CellError(what, self.log(), int(state["ExitCode"]))


def _said(error: BaseException) -> str:
    """What the engine said, without the address that was asked."""
    explanation = getattr(error, "explanation", None)
    return str(explanation or error) or type(error).__name__
