"""The load on a server: ``wrk``, a client of a fixed rate, and idle connections beside either."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import traffic
from bench.check import CLOSES
from bench.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.model import Scenario

SCRIPTS = ROOT / "bench/scripts"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load saw. ``problems``: how often, for each kind; empty if all went well."""

    rps: float = 0.0
    requests: int = 0
    p50_us: float = 0.0
    p99_us: float = 0.0
    max_us: float = 0.0
    busy: float = 0.0  # share of its core that the load used, where it sleeps when it has to wait
    problems: dict[str, int] = field(default_factory=dict)


def read_wrk(output: str) -> Loaded:
    """Read what ``scripts/wrk.lua`` prints. Raises ValueError if it is not there."""
    line = next((each for each in output.splitlines() if each.startswith('{"duration"')), "")
    figures = json.loads(line)
    return Loaded(
        rps=figures["requests"] * 1e6 / figures["duration"],
        requests=figures["requests"],
        p50_us=figures["p50"],
        p99_us=figures["p99"],
        max_us=figures["max"],
        busy=figures["cpu"] * 1e6 / figures["duration"],
        problems={kind: count for kind, count in figures["problems"].items() if count},
    )


def wrk(
    scenario: Scenario, port: int, *, state: Path, core: int, connections: int, seconds: int
) -> Loaded:
    """Load a server as fast as it answers, from ``core``. ``state`` holds the traffic."""
    command = ["taskset", "-c", str(core), "wrk", "--threads", "1", "--timeout", "2s"]
    command += ["--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--script", str(SCRIPTS / "wrk.lua"), f"http://127.0.0.1:{port}{scenario.path}"]
    command += ["--", *(["close"] if scenario.close else [])]
    command += [f"upload={scenario.upload}"] if scenario.upload else []
    command += [f"traffic={traffic.file(state, close=scenario.close)}"] if scenario.traffic else []
    return _run(command, seconds)


def fixed_rate(
    scenario: Scenario,
    port: int,
    *,
    state: Path,
    core: int,
    connections: int,
    seconds: int,
    rate: float,
) -> Loaded:
    """Load a server with ``rate`` requests/s, however fast it answers, from ``core``."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "bench.scripts.rate"]
    what = str(traffic.file(state)) if scenario.traffic else scenario.path
    return _run([*command, str(port), what, str(connections), str(seconds), str(rate)], seconds)


def _run(command: list[str], seconds: int) -> Loaded:
    try:
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 20, check=False
        )
        return read_wrk(run.stdout)
    except subprocess.TimeoutExpired:
        return Loaded(problems={"the load did not end": 1})
    except ValueError:
        reason = (run.stderr or run.stdout).strip().splitlines()
        return Loaded(problems={reason[-1] if reason else "the load printed nothing": 1})


def in_process(
    python: str, folder: str, scenario: Scenario, *, state: Path, core: int, seconds: int
) -> tuple[Loaded, float]:
    """Calls/s of an app with no server, and processor time of a call in microseconds.

    Raises RuntimeError if the app cannot be called.
    """
    command = ["taskset", "-c", str(core), python, "-m", "bench.scripts.ceiling"]
    what = str(traffic.file(state)) if scenario.traffic else scenario.path
    command += [str(ROOT / folder), what, str(scenario.upload), str(seconds)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if run.returncode:
        raise RuntimeError(f"{folder} cannot be called: {run.stderr.strip()[-300:]}")
    calls, elapsed, cpu = map(float, run.stdout.split())
    return Loaded(rps=calls / elapsed, requests=int(calls)), cpu * 1e6 / calls


def raise_descriptor_limit(wanted: int = 16384) -> int:
    """Allow this process and what it starts ``wanted`` descriptors, or as many as may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class Idle:
    """Connections that asked for one answer and then stay silent."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    def open(self, port: int, count: int, patience: float = 10.0) -> None:
        """Open ``count`` connections, fewer if the server closes them or stops answering."""
        request = f"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        deadline = time.monotonic() + patience
        for _ in range(count):
            if time.monotonic() > deadline:
                return
            try:
                client = socket.create_connection(("127.0.0.1", port), timeout=5)
                self.sockets.append(client)
                client.sendall(request)
                if CLOSES.search(client.recv(65536)):
                    self.sockets.pop().close()
            except OSError:
                return

    def kept(self) -> int:
        """How many of them the server still holds."""
        count = 0
        for each in self.sockets:
            each.setblocking(False)
            try:
                while each.recv(65536):
                    pass
            except BlockingIOError:
                count += 1
            except OSError:
                pass
        return count


@contextlib.contextmanager
def idle_connections(port: int, count: int) -> Iterator[Idle]:
    """Hold ``count`` idle connections."""
    idle = Idle()
    try:
        if count:
            idle.open(port, count)
        yield idle
    finally:
        for each in idle.sockets:
            each.close()
