"""Hooks as a running server calls them: which, in which process, in which order."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server.helpers import DEADLINE, HELLO, serving, wait_for
from tests.server.processes import children, running

if TYPE_CHECKING:
    from tests.server.conftest import Serve

RECORDS = """
import os
from onegate.hook_file import HOOKS

def record(name):
    def one(a): note(name)
    def two(a, b): note(name)
    def three(a, b, c): note(f"{name} {b} {c}")
    return {1: one, 2: two, 3: three}[HOOKS[name]]

def note(what):
    with open(os.path.join(FOLDER, "notes"), "a") as file:
        file.write(f"{os.getpid()} {what}\\n")

for name in HOOKS:
    globals()[name] = record(name)
"""


def hooks(folder: Path) -> str:
    path = folder / "hooks.py"
    path.write_text(RECORDS.replace("FOLDER", repr(str(folder))))
    return str(path)


def notes(folder: Path, pid: int | None = None) -> list[str]:
    """What was noted, by one process or by all."""
    path = folder / "notes"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split(" ", 1)[1] for line in lines if pid in (None, int(line.split()[0]))]


def test_the_life_of_a_server(tmp_path: Path) -> None:
    with serving(tmp_path, HELLO, "--hooks", hooks(tmp_path)) as server:
        assert server.get().status == 200
        master = server.process.pid
        [first] = children(master)
        assert notes(tmp_path, master) == ["on_starting", "when_ready", "pre_fork"]
        assert notes(tmp_path, first) == ["post_fork", "post_worker_init"]
        server.process.send_signal(signal.SIGTTIN)
        wait_for(lambda: notes(tmp_path, master)[3:] == ["nworkers_changed 2 1", "pre_fork"], "two")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not running(first), "the reload")
        assert notes(tmp_path, first)[2:] == ["worker_exit"]
        wait_for(lambda: notes(tmp_path, master).count("child_exit") == 2, "both ends")
        assert notes(tmp_path, master)[5:7] == ["on_reload", "pre_fork"]
        assert server.stop() == 0
        assert notes(tmp_path, master)[-1] == "on_exit"
        assert notes(tmp_path, master).count("child_exit") == 3


def test_worker_int_and_worker_abort(tmp_path: Path) -> None:
    source = HELLO.replace(
        "    start", "    if environ['PATH_INFO'] == '/hang': open('gate').read()\n    start", 1
    )
    options = ("--hooks", hooks(tmp_path), "--timeout", "1")
    with serving(tmp_path, source, *options) as server:
        os.mkfifo(tmp_path / "gate")
        with server.connect() as client:
            client.send(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            server.wait_for_log("it is killed")
            assert client.closed()
        assert "worker_abort" in notes(tmp_path, server.process.pid)
        assert server.get().status == 200
        # The one that was killed may not have been reaped yet.
        wait_for(lambda: len(children(server.process.pid)) == 1, "the end of the one that hung")
        [worker] = children(server.process.pid)
        assert server.stop(signal.SIGINT) == 0
        assert notes(tmp_path, worker)[-2:] == ["worker_int", "worker_exit"]


def test_pre_exec_and_the_new_master(tmp_path: Path) -> None:
    with serving(tmp_path, HELLO, "--hooks", hooks(tmp_path)) as server:
        assert server.get().status == 200
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"process (\d+) has taken over")[1])
        try:
            assert server.process.wait(DEADLINE) == 0
            assert "pre_exec" in notes(tmp_path, server.process.pid)
            assert notes(tmp_path, new)[:3] == ["on_starting", "when_ready", "pre_fork"]
        finally:
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")


def test_hooks_of_a_reload_that_failed_are_forgotten(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("def child_exit(server, worker): print('old', file=open('told', 'a'))")
    server = serve(HELLO, "--hooks", str(path))
    assert server.get().status == 200
    path.write_text("def child_exit(server, worker): print('new', file=open('told', 'a'))")
    (server.folder / "served.py").write_text("raise RuntimeError")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log("reload failed")
    (server.folder / "served.py").write_text(HELLO)
    [worker] = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: children(server.process.pid).keys() not in (set(), {worker}), "another")
    told = (server.folder / "told").read_text().split()
    assert told[-1] == "old"
