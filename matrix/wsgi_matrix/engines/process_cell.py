"""One cell of the process engine: the launcher, the server under it, the probe beside it."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from wsgi_matrix import probe
from wsgi_matrix.bundles import Bundle
from wsgi_matrix.engines import CellError, leftovers, zombies
from wsgi_matrix.engines import launcher as launcher_module
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import Image, Observed, Stopped
from wsgi_matrix.probe import Job, Report

START_DEADLINE = 30.0
SETUP_DEADLINE = 300.0
"""Seconds for one set-up command: migrations of a large app take their time."""
PROBE_MARGIN = 10.0
"""Seconds beyond its own deadline after which the probe itself counts as hanging."""
LOG_TAIL = 4000
"""Octets of the log that are shown."""
NO_CGROUP = "a process has no cgroup of its own"
NO_UID = "only root can give a cell a uid of its own, and RLIMIT_NPROC counts per uid"
NO_IMAGE = "a process has no image to compare its root with"


def anonymous(pid: int) -> int:
    """The proportional share of anonymous memory of a process, in octets (proc(5))."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it ended while we looked
    found = re.search(r"^Pss_Anon:\s+([0-9]+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


class ProcessCell:
    """A running cell (:class:`wsgi_matrix.engines.Running`)."""

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
        self.server_lib = server_lib
        self.python = python
        self.uid = uid
        self.log_file = folder / f"{cell.id}.log"
        self.probe_file = folder / f"{cell.id}.probe"
        self.files = folder / f"{cell.id}.files"
        """What the cell alone may write, and its secrets."""
        self.folder = folder
        self.pid = 0
        self.port = 0
        self._started = 0.0
        self._launcher: subprocess.Popen[bytes] | None = None
        self._reserved: socket.socket | None = None
        self._told = b""
        self._ended: dict[str, Any] | None = None
        self.engine_seconds = 0.0

    def start(self) -> None:
        """Set the cell up and start the server.

        Raises :class:`CellError` if that fails or the server does not get as far as its exec.
        """
        self.set_up()
        self.port = self._reserve_port()
        self._launch(self._command())

    def set_up(self) -> None:
        """Make the folders of the cell and run its set-up commands. Raises :class:`CellError`."""
        surroundings = self.cell.app.surroundings
        for place in ("writable", "secrets"):
            (self.files / place).mkdir(parents=True)
        for name, source in surroundings.secrets:
            (self.files / "secrets" / name).write_bytes(source.read_bytes())
        self.folder.chmod(0o711)  # the cell's own user has to get to what is its own
        if self.uid is not None:
            for path in (self.files, *self.files.rglob("*")):
                os.chown(path, self.uid, self.uid)
        for words in surroundings.commands(**self._places()):
            status, said = self.run(words, SETUP_DEADLINE)
            if status != 0:
                raise CellError(f"set-up failed: {shlex.join(words)}", said, status)

    def run(self, words: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """Run a command as the server is run, to its end: its exit status and what it wrote.

        Raises :class:`CellError` if it has not ended after ``seconds``.
        """
        self._launch(list(words))
        told = self._hear(seconds)
        said = self.log()
        if told is None:
            raise CellError(f"not done after {seconds:g} s: {shlex.join(words)}", said)
        self._leave_launcher()
        self._launcher, self._told, self._ended = None, b"", None
        self.log_file.write_bytes(b"")
        return told["status"], said

    def _launch(self, command: list[str]) -> None:
        """Start ``command`` under the cell's limits. Raises :class:`CellError`."""
        began = time.monotonic()
        self.log_file.touch()
        limits = {"nofile": self.cell.limits.nofile, "nproc": self.cell.limits.nproc}
        if self.uid is None:
            del limits["nproc"]
        spec = {
            "command": command,
            "environment": self._environment(),
            "folder": str(self.bundle.folder / "app"),
            "limits": {name: value for name, value in limits.items() if value is not None},
            "log": str(self.log_file),
            "uid": self.uid,
        }
        with self.log_file.open("ab") as log:
            # Not our stderr: whoever reads that to its end must not have to wait for a cell.
            self._launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", launcher_module.__file__, json.dumps(spec)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        leftovers.record(self.folder, self._launcher.pid)
        told = self._hear(START_DEADLINE)
        if told is None:
            raise CellError("the launcher did not start the server in time")
        if "error" in told:
            raise CellError(f"the server could not be started: {told['error']}")
        self.engine_seconds += time.monotonic() - began
        self.pid = int(told["pid"])
        self._started = float(told["at"])
        leftovers.record(self.folder, self.pid)

    def observed(self) -> Observed:
        """The limits in ``/proc/PID/limits`` of the server."""
        requested = self.cell.limits
        try:
            text = Path(f"/proc/{self.pid}/limits").read_text()
        except OSError:
            self._died("the server ended at once")
        values = {}
        for line in text.splitlines():
            for name, title in (("nofile", "Max open files"), ("nproc", "Max processes")):
                if line.startswith(title):
                    soft, hard = line[len(title) :].split()[:2]
                    # Two different values are no limit that anybody asked for.
                    same = soft == hard and soft.isdigit()
                    values[name] = int(soft) if same else None
        why_not = {}
        if requested.memory is not None:
            why_not["memory"] = NO_CGROUP
        if self.uid is None:
            values["nproc"] = None
            why_not["nproc"] = NO_UID
        return Observed(nofile=values.get("nofile"), nproc=values.get("nproc"), why_not=why_not)

    def probe(self, job: Job) -> Report:
        """Run the probe on this machine's loopback; see :class:`wsgi_matrix.engines.Running`."""
        archive = self.folder / "probe.pyz"
        if not archive.exists():
            fresh = archive.with_suffix(f".{self.cell.id}")
            fresh.write_bytes(probe.archive())
            fresh.replace(archive)
        with self.probe_file.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", archive],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            with process:
                leftovers.record(self.folder, process.pid)
                assert process.stdin is not None
                process.stdin.write(job.encode(self.port))
                process.stdin.close()
                try:
                    self._watch(process, time.monotonic() + job.deadline + PROBE_MARGIN)
                finally:
                    process.kill()
        output_bytes = self.probe_file.read_bytes()
        try:
            report = probe.read(output_bytes, job)
        except ValueError as problem:
            text = output_bytes[-LOG_TAIL:].decode(errors="replace")
            raise CellError(f"the probe failed: {problem}: {text}", self.log()) from None
        if report.unready:
            self._died(
                f"port {self.port} did not open within {job.deadline:g} s ({report.unready})"
            )
        return report

    def started(self) -> float:
        """See :class:`wsgi_matrix.engines.Running`."""
        return self._started

    def memory(self) -> int | None:
        """See :class:`wsgi_matrix.engines.Running`. Pages that processes share count once."""
        found = sum(anonymous(pid) for pid in zombies.members(self.pid))
        return found or None

    def zombies(self) -> int | None:
        """See :class:`wsgi_matrix.engines.Running`. The server's processes are of its session."""
        found = zombies.settled(self.pid)
        return None if self._hear(0) is not None else len(found)

    def stop(self, grace: float) -> Stopped:
        """Send the stop signal to the server, wait, kill."""
        early = self._hear(0) is not None
        self._signal(getattr(signal, self.cell.server.stop_signal))
        told = self._hear(grace)
        forced = told is None
        if forced:
            self.kill()
            told = self._hear(START_DEADLINE)
        return Stopped(
            exit_status=told["status"] if told else None,
            oom_killed=False,
            log=self.log(),
            changed=(),
            changed_unknown=NO_IMAGE,
            forced=forced,
            left=int(told["left"]) if told and not forced else 0,
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

    def kill(self) -> None:
        """Kill all of the cell, from any thread: the launcher does so when its stdin ends."""
        if self._launcher is not None and self._launcher.stdin is not None:
            self._launcher.stdin.close()

    def close(self, keep: Path | None = None) -> None:
        """Leave nothing of the cell but what it wrote, in the folder ``keep`` if there is one."""
        self._leave_launcher()
        if self._reserved is not None:
            self._reserved.close()
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for name, file in (("server.log", self.log_file), ("probe.jsonl", self.probe_file)):
                if file.exists():
                    shutil.copyfile(file, keep / name)
        self.log_file.unlink(missing_ok=True)
        self.probe_file.unlink(missing_ok=True)
        shutil.rmtree(self.files, ignore_errors=True)

    def _leave_launcher(self) -> None:
        """End the launcher and all below it."""
        self.kill()
        launcher = self._launcher
        if launcher is None:
            return
        assert launcher.stdout is not None
        try:
            launcher.wait(START_DEADLINE)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()
        launcher.stdout.close()

    def _reserve_port(self) -> int:
        """A free port, kept from others until the cell ends.

        Bound with SO_REUSEADDR but not listening, it can still be bound by a server that sets
        SO_REUSEADDR itself, as servers do, while the kernel gives it to nobody who asks for any.
        """
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        return int(self._reserved.getsockname()[1])

    def _command(self) -> list[str]:
        server = self.cell.server
        values = {
            "app": self.cell.app.target,
            "folder": str(self.bundle.folder / "app"),
            "port": str(self.port),
            "threads": str(server.threads),
            "workers": str(server.workers),
            "python": str(self.python),
            "context": str(server.context),
        }
        return [word.format_map(values) for word in (*server.process, *server.args)]

    def _environment(self) -> dict[str, str]:
        """Little, and the same everywhere: what the caller has set must not change an answer."""
        folders = [*self.cell.server.process_path]
        folders += [self.bundle.folder / "app", self.bundle.folder / "lib"]
        # Last, so that what a server needs cannot hide what the app has.
        folders += [self.server_lib] if self.server_lib else []
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            "PYTHONUNBUFFERED": "1",
            **self.cell.app.surroundings.variables(**self._places()),
        }

    def _places(self) -> dict[str, str]:
        """What stands for the placeholders of the surroundings."""
        return {
            "writable": str(self.files / "writable"),
            "secrets": str(self.files / "secrets"),
            "python": str(self.python),
        }

    def _watch(self, process: subprocess.Popen[bytes], until: float) -> None:
        """Wait for the probe; a server that dies before it was ready ends the wait at once."""
        while time.monotonic() < until:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                if self._hear(0) is not None and b'"ready"' not in self.probe_file.read_bytes():
                    self._died("the server ended before its port was open")
            else:
                return
        raise CellError("the probe did not end in time", self.log())

    def _died(self, what: str) -> NoReturn:
        """Raise :class:`CellError` with all that is known of the server's end, if it has ended."""
        told = self._hear(0.5)
        raise CellError(what, self.log(), told["status"] if told else None)

    def _signal(self, number: int) -> None:
        """Signal the server, unless it has ended: its id may be another's then."""
        if self._hear(0) is None and self.pid:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it ended just now; the launcher is about to say so

    def _hear(self, seconds: float) -> dict[str, Any] | None:
        """The launcher's next line, waited for; its last one (how the server ended) is kept."""
        if self._ended is not None:
            return self._ended
        assert self._launcher is not None
        assert self._launcher.stdout is not None
        pipe = self._launcher.stdout.fileno()
        until = time.monotonic() + seconds
        while b"\n" not in self._told:
            ready, _, _ = select.select([pipe], [], [], max(until - time.monotonic(), 0))
            if not ready:
                return None
            data = os.read(pipe, 65536)
            if not data:
                self._ended = {"status": None, "left": 0}
                return self._ended
            self._told += data
        line, _, self._told = self._told.partition(b"\n")
        value: dict[str, Any] = json.loads(line)
        if "status" in value:
            self._ended = value
        return value
