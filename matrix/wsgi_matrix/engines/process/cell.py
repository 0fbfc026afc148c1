"""One cell made of processes, from start to end: the server's, and the probe's next to it."""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from wsgi_matrix.engines import commands, probe_output, zombies
from wsgi_matrix.engines.process import leftovers, limits_and_usage
from wsgi_matrix.engines.process import probe as process_probe
from wsgi_matrix.engines.process.cell_provisioning import CellEnvironment
from wsgi_matrix.engines.process.launch import START_DEADLINE, Launch
from wsgi_matrix.engines.ready_log import ReadyLog
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import Image, Observed, Stopped
from wsgi_matrix.packaging.bundle import Bundle
from wsgi_matrix.probe.protocol import Job, Report, Span

PROBE_MARGIN = 10.0
"""Seconds after its own deadline when the probe is considered to hang."""
LOG_TAIL = 4000
"""Octets of the log to show."""


class ProcessCell:
    """A running cell (:class:`.Running`)."""

    def __init__(
        self,
        cell: Cell,
        *,
        folder: Path,
        python: Path,
        bundle: Bundle,
        server_lib: Path | None,
        image: Image,
        uid: int | None,
    ) -> None:
        self.cell = cell
        self.image = image
        self.framework_version = bundle.framework_version
        self.bundle = bundle
        self.python = python
        self.uid = uid
        self.log_file = folder / f"{cell.id}.log"
        self.probe_file = folder / f"{cell.id}.probe"
        self.folder = folder
        self.port = 0
        self.engine_seconds = 0.0
        self._cell_environment = CellEnvironment(
            cell,
            folder / f"{cell.id}.files",
            bundle=bundle,
            server_lib=server_lib,
            python=python,
            uid=uid,
        )
        self._server_lib = server_lib
        self._ready_log = ReadyLog(cell.server.ready_log)
        self._launch: Launch | None = None
        """Of the server, or of a setup command before it."""
        self._reserved: socket.socket | None = None

    @property
    def launch(self) -> Launch:
        """The command that has been started."""
        assert self._launch is not None
        return self._launch

    def start(self) -> None:
        """Set the cell up and start the server.

        Raises :class:`CellError` if that fails or the server cannot be executed.
        """
        self.set_up()
        self.port = self._reserve_port()
        server = self.cell.server
        command = commands.server_command(
            self.cell,
            (*server.process, *server.args),
            folder=str(self.bundle.app),
            port=self.port,
            python=str(self.python),
            context=str(server.context),
            lib=str(self._server_lib or ""),
        )
        self._begin(command)

    def set_up(self) -> None:
        """Make the cell's directories and run its setup commands. Raises :class:`CellError`."""
        self._cell_environment.make()
        commands.set_up(self._cell_environment.commands, self.run)

    def run(self, words: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """Run a command in the server's place to its end; return its exit status and output.

        Raises :class:`CellError` if it has not ended after ``seconds``.
        """
        self._begin(words, shlex.join(words))
        message = self.launch.read_message(seconds)
        said = self.log()
        if message is None:
            raise commands.timed_out(words, seconds, said)
        self.launch.close()
        self._launch = None
        self.log_file.write_bytes(b"")
        return message["status"], said

    def _begin(self, command: Sequence[str], name: str = "the server") -> None:
        """Start ``command``, called ``name`` in messages, under the cell's limits.

        Raises :class:`CellError`.
        """
        began = time.monotonic()
        self.log_file.touch()
        limits = {"nofile": self.cell.limits.nofile, "nproc": self.cell.limits.nproc}
        if self.uid is None:
            del limits["nproc"]
        self._launch = Launch(
            command,
            environment=self._cell_environment.environment,
            folder=self.bundle.app,
            name=name,
            limits={name: value for name, value in limits.items() if value is not None},
            log=self.log_file,
            uid=self.uid,
        )
        leftovers.record(self.folder, self._launch.launcher.pid)
        self._launch.begun()
        self.engine_seconds += time.monotonic() - began
        leftovers.record(self.folder, self._launch.pid)

    def observed(self) -> Observed:
        """The limits in ``/proc/PID/limits`` of the server."""
        own_uid = self.uid is not None
        try:
            return limits_and_usage.limits(self.launch.pid, self.cell.limits, own_uid=own_uid)
        except OSError:
            self._raise_died("the server exited at once")

    def probe(self, job: Job) -> Report:
        """Run the probe on this host's loopback interface; see :class:`.Running`."""
        until = time.monotonic() + job.deadline + PROBE_MARGIN
        self._ready_log.wait(job.deadline, self.log, self._raise_if_not_ready)
        line = job.encode(self.port, log=str(self.log_file))
        reported = False

        def watch() -> None:
            nonlocal reported
            self._raise_if_not_opened()
            if not reported and process_probe.waits(self.probe_file):
                reported = True
                job.waits()

        try:
            output = process_probe.run(self.folder, self.probe_file, line, until, watch)
        except TimeoutError:
            raise CellError("the probe did not end in time", self.log()) from None
        text = output[-LOG_TAIL:].decode(errors="replace")
        report = probe_output.read_report(output, job, text, self.log, self._wrote)
        if reason := probe_output.why_unready(report, self.port, job):
            self._raise_died(reason)
        return report

    def _raise_if_not_ready(self) -> None:
        """Stop waiting for the log of a server that has exited."""
        if self.launch.read_message(0) is not None:
            self._raise_died("the server exited before it was ready")

    def _raise_if_not_opened(self) -> None:
        """Stop waiting if the server has exited before it was ready."""
        if self.launch.read_message(0) is not None and not process_probe.ready(self.probe_file):
            self._raise_died("the server exited before its port was open")

    def _raise_died(self, what: str) -> NoReturn:
        """Raise :class:`CellError` with the server's log, and its exit status if it has exited."""
        message = self.launch.read_message(0.5)
        raise CellError(what, self.log(), message["status"] if message else None)

    def started(self) -> float:
        """See :class:`.Running`."""
        return self.launch.started

    def memory(self) -> int | None:
        """See :class:`.Running`."""
        return limits_and_usage.memory(self.launch.pid)

    def zombies(self) -> int | None:
        """See :class:`.Running`. The server's processes are those in its session."""
        found = zombies.settled(self.launch.pid)
        return None if self.launch.read_message(0) is not None else len(found)

    def stop(self, grace: float) -> Stopped:
        """Send the stop signal to the server, wait, kill."""
        early = self.launch.read_message(0) is not None
        self.launch.signal(getattr(signal, self.cell.server.stop_signal))
        message = self.launch.read_message(grace)
        forced = message is None
        if forced:
            self.kill()
            message = self.launch.read_message(START_DEADLINE)
        return Stopped(
            exit_status=message["status"] if message else None,
            oom_killed=False,
            log=self.log(),
            changed=(),
            changed_unknown=limits_and_usage.NO_IMAGE,
            forced=forced,
            left=int(message["left"]) if message and not forced else 0,
            early=early,
        )

    def log(self) -> str:
        """The last lines that the server wrote."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(max(0, self.log_file.stat().st_size - LOG_TAIL))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""

    def _wrote(self, span: Span) -> str:
        """What the server wrote between two sizes of its log; only the end if it is long."""
        begin, end = span.log
        begin = max(begin, end - LOG_TAIL)
        try:
            with self.log_file.open("rb") as file:
                file.seek(begin)
                return file.read(max(0, end - begin)).decode(errors="replace").strip()
        except OSError:
            return ""

    def kill(self) -> None:
        """Kill all processes of the cell, from any thread."""
        if (launch := self._launch) is not None:
            launch.kill()

    def close(self, keep: Path | None = None) -> None:
        """Remove everything of the cell; preserve its output in the directory ``keep`` if given."""
        if self._launch is not None:
            self._launch.close()
        if self._reserved is not None:
            self._reserved.close()
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for name, file in (("server.log", self.log_file), ("probe.jsonl", self.probe_file)):
                if file.exists():
                    shutil.copyfile(file, keep / name)
        self.log_file.unlink(missing_ok=True)
        self.probe_file.unlink(missing_ok=True)
        self._cell_environment.close()

    def _reserve_port(self) -> int:
        """A free port, reserved until the cell ends.

        It is bound with SO_REUSEADDR but not listening. So a server that sets SO_REUSEADDR, as
        servers do, can still bind it, but the kernel does not assign it as a free port.
        """
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        return int(self._reserved.getsockname()[1])
