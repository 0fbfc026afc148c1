"""A server as a process: start it, wait for it, read what it uses from ``/proc``, end it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.model import ONEGATE, WIRE, App, Memory, Server
from bench.traffic import PADDING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from bench.tools import Tools

ROOT = Path(__file__).parents[1]
START = 30.0  # seconds in which a server has to listen: all of a round start at once
UNPRIVILEGED = "unshare --user --map-user=1000 --map-group=1000"
"""Before the command of a server that gives up root: in a namespace where it is somebody else, it
keeps the rights to what it serves. Another user might not even read the interpreter."""
STOP = 5.0  # seconds for a server to end when asked, before it is killed
CPUCLOCK_SCHED = 2  # of a process, all its threads together
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
    location / {{
      add_header X-Correlation-ID $http_x_request_id;
      add_header Set-Cookie "seen=$http_x_request_id; Path=/";
      return 200 "$request_method $uri\\n$arg_q\\n$http_x_request_id\\n{padding}\\n";
    }}
    location /large {{ root .; }}
    location /upload {{ return 200 "1048576\\n"; }}
  }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process. ``started``: the tick at which it did, since pids are given again."""

    pid: int
    started: int


class StartError(Exception):
    """A server that does not come up. The text says why."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A server with an app, in a session of its own and on ``cores``; a context manager."""

    def __init__(
        self, server: Server, app: App, tools: Tools, cores: Sequence[int], *, watched: bool = False
    ) -> None:
        """``watched``: with the app inside ``bench/watched``, which tells what the server does."""
        self.server = server
        self.cores = frozenset(cores)
        self.port = free_port()
        self.log = tools.state / f"{server.name}-{app.name}.log"
        self.scratch = Path(tempfile.mkdtemp(prefix="onegate-bench-"))
        self._seen: set[Process] = set()
        directory = ROOT / ("bench/watched" if watched else app.folder)
        fields = {
            **tools.places,
            "folder": str(directory),
            "port": str(self.port),
            "threads": str(server.threads),
            "workers": str(server.workers),
            "scratch": str(self.scratch),
        }
        if server.product == WIRE:
            configuration = NGINX.format(port=self.port, padding="." * (PADDING // 2))
            (tools.state / f"nginx-{self.port}.conf").write_text(configuration)
        words = {name: shlex.quote(value) for name, value in fields.items()}
        words["unprivileged"] = UNPRIVILEGED if os.geteuid() == 0 else ""
        self.command = shlex.split(server.command.format(**words))
        paths = [directory]
        if server.product == ONEGATE:
            paths = [tools.state / server.build]
        elif (apart := tools.state / server.product).is_dir():
            paths.append(apart)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", ",".join(map(str, sorted(self.cores))), *self.command],
                cwd=tools.state,
                env={
                    **{k: os.environ[k] for k in ("HOME", "LANG") if k in os.environ},
                    # Some find their interpreter by these, and not by the command they came with.
                    "PATH": f"{tools.places.get('bin', '')}:{os.environ.get('PATH', os.defpath)}",
                    "VIRTUAL_ENV": tools.places.get("venv", ""),
                    "PYTHONPATH": ":".join(map(str, paths)),
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
        """Return when the server accepts connections and, if it says so, has its application.

        Raises :class:`StartError` if it ends, or does not listen in time.
        """
        deadline = time.monotonic() + START
        while True:
            self.raise_if_ended()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                if self.server.ready in self.log.read_text(errors="replace"):
                    return
            if time.monotonic() > deadline:
                raise StartError(f"does not serve after {START:.0f} s: {self.last_line()}")
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

    def elsewhere(self) -> str:
        """The first process or thread that may run on other cores than given; empty if none may."""
        for process in self.processes():
            for task in Path(f"/proc/{process.pid}/task").glob("*"):
                with contextlib.suppress(OSError):
                    if not os.sched_getaffinity(int(task.name)) <= self.cores:
                        return (task / "comm").read_text().strip()
        return ""

    def stop(self) -> None:
        """End all its processes: asked first, killed if that does not help."""
        self.processes()  # once the first has ended, its children are somebody else's
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.Signals[self.server.stop])
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP)
        deadline = time.monotonic() + STOP
        while (left := self.processes()) and time.monotonic() < deadline:
            for each in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
            self.process.poll()
            time.sleep(0.01)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def processes(self) -> list[Process]:
        """Each living process of the server: of its session, or started by one of its processes.

        Some daemons leave the session, so that the parents count too.
        """
        table = process_table()
        known = {each.pid for each in self._seen if table.get(each.pid, (0, 0, each))[2] == each}
        known.add(self.process.pid)
        found: set[int] = set()
        while True:
            more = {
                pid
                for pid, (parent, session, _) in table.items()
                if pid in known or session == self.process.pid or parent in known
            } - found
            if not more:
                break
            found |= more
            known |= more
        living = [table[pid][2] for pid in sorted(found) if pid in table]
        self._seen.update(living)
        return living

    def processor_times(self) -> dict[Process, float]:
        """Seconds of processor time that each of its living processes has used so far."""
        return {each: cpu_seconds(each.pid) for each in self.processes()}

    def memory(self) -> Memory | None:
        """Memory now; the worker is the process that has used the most processor time."""
        times = self.processor_times()
        if not times:
            return None
        found = sorted(times, key=lambda each: times[each])
        rollups = [smaps_rollup(each.pid) for each in found]
        return Memory(
            worker_anonymous=rollups[-1].get("Anonymous", 0),
            worker_rss=rollups[-1].get("Rss", 0),
            worker_pss=rollups[-1].get("Pss", 0),
            tree_pss=sum(each.get("Pss", 0) for each in rollups),
            processes=len(found),
        )


def process_table() -> dict[int, tuple[int, int, Process]]:
    """Parent, session and identity of each living process of this machine, by pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name, field 2, may hold spaces and brackets of its own.
            rest = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if rest[0] != "Z":
            pid = int(entry.name)
            found[pid] = (int(rest[1]), int(rest[3]), Process(pid=pid, started=int(rest[19])))
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, its ended threads included; 0 for one that has ended.

    From its clock (clock_getcpuclockid(3)), which counts nanoseconds: the fields of ``stat`` count
    ticks, too coarse for a slice, and ``schedstat`` has the living threads alone.
    """
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return 0.0


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
