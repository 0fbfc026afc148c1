"""A server as a process: found when it listens, told apart when it does not, ended with its own."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from bench.model import App, Server
from bench.process import Running, StartError, core_busy_seconds
from bench.tools import Tools

APP = App(name="raw", folder="apps/wsgiapp")
# Listens, has a child in the same session that would outlive it, and ends when asked.
PARENT = """
import os, socket, sys, time
if not os.fork():
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ballast = bytearray(64 << 20)
    deadline = time.monotonic() + 60  # should a broken test forget it
    while time.monotonic() < deadline:
        sum(range(10000))
    os._exit(0)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""


def running(folder: Path, script: str) -> Running:
    """Start a script as if it were a server."""
    (folder / "server.py").write_text(script)
    server = Server(
        name="some", product="some", threads=1, command="{python} {state}/server.py {port}"
    )
    places = {"python": sys.executable, "state": str(folder)}
    core = min(os.sched_getaffinity(0))
    return Running(server, APP, Tools(state=folder, places=places, versions={}), core)


def test_a_server_is_waited_for_and_ended_with_its_children(tmp_path: Path) -> None:
    with running(tmp_path, PARENT) as server:
        server.wait()
        assert len(server.processes()) == 2
        assert server.cpu_seconds() > 0
        memory = server.memory()
        assert memory is not None
        assert memory.processes == 2
        assert 0 < memory.worker_pss <= memory.worker_rss
        assert 0 < memory.worker_anonymous <= memory.worker_rss
        assert memory.worker_pss < memory.tree_pss
    assert server.processes() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=30)


def test_the_worker_is_the_one_that_works(tmp_path: Path) -> None:
    with running(tmp_path, PARENT) as server:
        server.wait()
        while (busiest := max(server.processes(), key=lambda each: each[1]))[1] < 0.2:
            server.raise_if_ended()
        assert busiest[0] != server.process.pid
        memory = server.memory()
        assert memory is not None
        assert memory.worker_anonymous > 64 << 20


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    script = "import sys; print('out of luck'); sys.exit(3)"
    with (
        running(tmp_path, script) as server,
        pytest.raises(StartError, match="ended with status 3: out of luck"),
    ):
        server.wait()


def test_a_core_that_is_not_there() -> None:
    assert core_busy_seconds(min(os.sched_getaffinity(0))) > 0
    with pytest.raises(ValueError, match="no core 9999"):
        core_busy_seconds(9999)
