"""A server as a process: start it, wait for it, read what it uses from ``/proc``, end it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.model import ONEGATE, WIRE, App, Memory, Server

if TYPE_CHECKING:
    from types import TracebackType

    from bench.tools import Tools

ROOT = Path(__file__).parents[1]
START = 15.0  # seconds in which a server has to listen
STOP = 2.0  # seconds for a server to end when asked, before it is killed
TICK: int = os.sysconf("SC_CLK_TCK")

NGINX = """daemon off; master_process off; pid nginx-{port}.pid; error_log stderr;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 2m; sendfile on;
  client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .;
  scgi_temp_path .; tcp_nodelay on; default_type text/plain;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location /hello {{ return 200 "Hello, World!\\n"; }}
    location /large {{ root .; }}
    location /upload {{ return 200 "1048576\\n"; }}
  }}
}}
"""


class StartError(Exception):
    """A server that does not come up. The text says why."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A server with an app, in a session of its own and on one core; a context manager."""

    def __init__(
        self, server: Server, app: App, tools: Tools, core: int, *, closing: bool = False
    ) -> None:
        """``closing``: watch whether what the app returns is closed; see ``bench/closing``."""
        self.server = server
        self.port = free_port()
        self.log = tools.state / f"{server.name}-{app.name}.log"
        folder = ROOT / ("bench/closing" if closing else app.folder)
        fields = {**tools.places, "folder": str(folder), "port": str(self.port)}
        if server.product == WIRE:
            configuration = NGINX.format(port=self.port)
            (tools.state / f"nginx-{self.port}.conf").write_text(configuration)
        self.command = [each.format(**fields) for each in shlex.split(server.command)]
        path = tools.state / "server" if server.product == ONEGATE else folder
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core), *self.command],
                cwd=tools.state,
                env={
                    **{k: os.environ[k] for k in ("HOME", "PATH", "LANG") if k in os.environ},
                    "PYTHONPATH": str(path),
                    "BENCH_APP": str(ROOT / app.folder),
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Return when the server accepts connections.

        Raises :class:`StartError` if it ends, or does not listen in time.
        """
        deadline = time.monotonic() + START
        while True:
            self.raise_if_ended()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            if time.monotonic() > deadline:
                raise StartError(f"does not listen after {START:.0f} s: {self.last_line()}")
            time.sleep(0.02)

    def raise_if_ended(self) -> None:
        """Raise :class:`StartError` if the server's first process has ended by itself."""
        status = self.process.poll()
        if status is not None:
            raise StartError(f"ended with status {status}: {self.last_line()}")

    def last_line(self) -> str:
        """The last line of what the server printed."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else "(it printed nothing)"

    def stop(self) -> None:
        """End the whole session: asked first, killed if that does not help."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP)
        deadline = time.monotonic() + STOP
        while self.processes() and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.poll()
            time.sleep(0.01)

    def processes(self) -> list[tuple[int, float]]:
        """Each living process of the session, with the processor seconds it has used."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                # The name, field 2, may hold spaces and brackets of its own.
                rest = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            if int(rest[3]) == self.process.pid and rest[0] != "Z":
                found.append((int(entry.name), cpu_seconds(entry)))
        return found

    def cpu_seconds(self) -> float:
        """Processor time of the session so far."""
        return sum(seconds for _, seconds in self.processes())

    def memory(self) -> Memory | None:
        """Memory now; the worker is the process that has used the most processor time."""
        found = sorted(self.processes(), key=lambda each: each[1])
        if not found:
            return None
        rollups = [smaps_rollup(pid) for pid, _ in found]
        return Memory(
            worker_anonymous=rollups[-1].get("Anonymous", 0),
            worker_rss=rollups[-1].get("Rss", 0),
            worker_pss=rollups[-1].get("Pss", 0),
            tree_pss=sum(each.get("Pss", 0) for each in rollups),
            processes=len(found),
        )


def cpu_seconds(entry: Path) -> float:
    """Processor time of a process's threads, from its folder in ``/proc``.

    ``schedstat`` counts nanoseconds; the fields of ``stat`` count ticks, too coarse for a slice.
    """
    total = 0
    for task in entry.glob("task/*/schedstat"):
        with contextlib.suppress(OSError):  # it has ended
            total += int(task.read_text().split()[0])
    return total / 1e9


def smaps_rollup(pid: int) -> dict[str, int]:
    """The sums over a process's mappings, in octets; nothing for one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {
        name: int(rest.split()[0]) * 1024 for name, _, rest in (e.partition(":") for e in lines)
    }


def core_busy_seconds(core: int) -> float:
    """Seconds that a core was not idle since the machine started, time stolen from it included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            return (sum(map(int, ticks[:8])) - int(ticks[3]) - int(ticks[4])) / TICK
    raise ValueError(f"this machine has no core {core}")
