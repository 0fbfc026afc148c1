"""A server as a process: found when it listens, told apart when it does not, ended with its own."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from bench.model import App, Server
from bench.process import Running, StartError, core_busy_seconds, cpu_seconds
from bench.tools import Tools

APP = App(name="raw", folder="bench/apps/raw")
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


def running(folder: Path, script: str, *, stop: str = "SIGTERM", ready: str = "") -> Running:
    """Start a script as if it were a server."""
    (folder / "server.py").write_text(script)
    command = "{python} {state}/server.py {port}"
    server = Server(name="some", product="some", command=command, stop=stop, ready=ready)
    places = {"python": sys.executable, "state": str(folder)}
    core = min(os.sched_getaffinity(0))
    return Running(server, APP, Tools(state=folder, places=places, versions={}), [core])


def test_a_server_is_waited_for_and_ended_with_its_children(tmp_path: Path) -> None:
    with running(tmp_path, PARENT) as server:
        server.wait()
        assert len(server.processes()) == 2
        assert sum(server.processor_times().values()) > 0
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
        while max((times := server.processor_times()).values()) < 0.2:
            server.raise_if_ended()
        assert max(times, key=lambda each: times[each]).pid != server.process.pid
        memory = server.memory()
        assert memory is not None
        assert memory.worker_anonymous > 64 << 20


LISTEN = """
import os, signal, socket, sys, threading, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
"""


def child_of(parent: Running) -> int:
    """The pid of its one child, once that is there."""
    while len(found := parent.processes()) < 2:
        parent.raise_if_ended()
    (pid,) = (each.pid for each in found if each.pid != parent.process.pid)
    return pid


def test_a_child_in_another_session_is_counted_and_ended(tmp_path: Path) -> None:
    script = LISTEN + "if not os.fork():\n    os.setsid()\ntime.sleep(60)\n"
    with running(tmp_path, script) as server:
        server.wait()
        pid = child_of(server)
        while os.getsid(pid) != pid:
            server.raise_if_ended()
        # Its parent goes first, and so it is nobody's child any more.
        os.kill(server.process.pid, 9)
        server.process.wait()
        assert [each.pid for each in server.processes()] == [pid]
    assert server.processes() == []


def test_the_time_of_threads_that_have_ended_counts(tmp_path: Path) -> None:
    script = (
        LISTEN
        + """
def work():
    while time.thread_time() < 0.3:
        sum(range(1000))
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("worked", flush=True)
time.sleep(60)
"""
    )
    with running(tmp_path, script, ready="worked") as server:
        server.wait()
        assert sum(server.processor_times().values()) > 0.3


def test_the_processor_time_is_that_which_a_process_says_itself(tmp_path: Path) -> None:
    before = time.process_time()
    found = cpu_seconds(os.getpid())
    assert before <= found <= time.process_time()
    assert cpu_seconds(2**22 + 1) == 0.0


def test_a_server_is_asked_by_the_signal_that_it_knows(tmp_path: Path) -> None:
    script = (
        LISTEN
        + """
def end(number, frame):
    open(sys.argv[0] + ".ended", "w").close()
    os._exit(0)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    time.sleep(60)
"""
    )
    with running(tmp_path, script, stop="SIGINT", ready="ready") as server:
        server.wait()
    assert (tmp_path / "server.py.ended").exists()


def test_one_that_listens_too_early_is_waited_for(tmp_path: Path) -> None:
    script = (
        LISTEN
        + """
print("listening", flush=True)
sys.stdin = open(sys.argv[0] + ".go")
sys.stdin.read()
print("and ready", flush=True)
time.sleep(60)
"""
    )
    os.mkfifo(tmp_path / "server.py.go")
    with running(tmp_path, script, ready="and ready") as server:
        waiting = threading.Thread(target=server.wait)
        waiting.start()
        while "listening" not in server.log.read_text():
            server.raise_if_ended()
        waiting.join(0.2)
        assert waiting.is_alive()
        (tmp_path / "server.py.go").write_text("")
        waiting.join(30)
        assert not waiting.is_alive()


def test_a_thread_on_another_core_is_told(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("there is one core only")
    script = (
        LISTEN
        + f"""
def leave():
    os.sched_setaffinity(0, {{{cores[1]}}})
    print("left", flush=True)
    time.sleep(60)
threading.Thread(target=leave).start()
time.sleep(60)
"""
    )
    with running(tmp_path, LISTEN + "time.sleep(60)") as server:
        server.wait()
        assert server.elsewhere() == ""
    with running(tmp_path, script, ready="left") as server:
        server.wait()
        assert server.elsewhere() != ""


def test_nothing_of_a_server_is_left_behind(tmp_path: Path) -> None:
    with running(tmp_path, LISTEN + "time.sleep(60)") as server:
        server.wait()
        assert server.scratch.is_dir()
    assert not server.scratch.exists()


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
