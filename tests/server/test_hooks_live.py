"""Hooks as a running server calls them: which, in which process, in which order."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, HELLO, run_to_end, serving, wait_for, write_app
from tests.server.processes import children, running

if TYPE_CHECKING:
    from tests.server.conftest import Serve

RECORDS = """
import os
from onegate.process.hooks import HOOKS

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
            server.wait_for_log("killing it")
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
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
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
    write_app(server.folder, "raise RuntimeError")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log("reload failed")
    write_app(server.folder, HELLO)
    [worker] = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: children(server.process.pid).keys() not in (set(), {worker}), "another")
    told = (server.folder / "told").read_text().split()
    assert told[-1] == "old"


SEES = """
import os

def on_starting(server):
    server.own = "kept"
    told(f"on_starting {server.address} {server.num_workers} {server.worker_age}")

def pre_fork(server, worker):
    worker.name = f"w{worker.age}"
    told(f"pre_fork {server.own} {worker.pid} {worker.age} {worker.ppid == os.getpid()}")

def post_fork(server, worker):
    name = getattr(worker, "name", "-")
    told(f"post_fork {server.own} {worker.pid == os.getpid()} {worker.age} {name}"
         f" {worker.ppid == server.pid} {worker.cfg.workers} {worker.wsgi}")

def post_worker_init(worker):
    within = worker.wsgi
    def app(environ, start_response):
        start_response("200 OK", [])
        return [worker.wsgi.__name__.encode(), *within(environ, lambda *_: None)]
    worker.wsgi = app

def worker_exit(server, worker):
    told(f"worker_exit {server.own} {worker.pid == os.getpid()} {worker.age}")

def child_exit(server, worker):
    told(f"child_exit {worker.name} {worker.age} {sorted(w.age for w in server.WORKERS.values())}")

def nworkers_changed(server, new, old):
    told(f"nworkers_changed {server.num_workers} {new} {old}")

def told(text):
    with open("told", "a") as file:
        file.write(text + "\\n")
"""


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_what_hooks_are_given(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = tmp_path / "own.py"
    path.write_text(SEES)
    with serving(tmp_path, HELLO, "--hooks", str(path), "--graceful-timeout", "9", *options) as s:
        assert s.get().text == "appHello\n", "worker.wsgi was replaced"
        s.process.send_signal(signal.SIGTTIN)

        def told(what: str) -> list[str]:
            lines = (tmp_path / "told").read_text().splitlines()
            return [line for line in lines if line.startswith(what + " ")]

        wait_for(lambda: len(told("post_fork")) == 2, "the second")
        s.process.send_signal(signal.SIGTTOU)
        wait_for(lambda: told("child_exit"), "the end of the second")
        assert told("on_starting") == ["on_starting [('127.0.0.1', 0)] 1 0"]
        assert told("nworkers_changed") == ["nworkers_changed 2 2 1", "nworkers_changed 1 1 2"]
        assert told("pre_fork") == [f"pre_fork kept 0 {age} True" for age in (1, 2)]
        names = ("-", "-") if options else ("w1", "w2")
        assert told("post_fork") == [
            f"post_fork kept True {age} {name} True 1 None"
            for age, name in zip((1, 2), names, strict=True)
        ]
        assert told("child_exit") == ["child_exit w2 2 [1]"]
        # It may have been told to end before it was ready to.
        assert set(told("worker_exit")) <= {"worker_exit kept True 2"}


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
@pytest.mark.parametrize("name", ["on_starting", "post_fork", "post_worker_init"])
def test_a_hook_that_fails_is_called_by_its_name(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    write_app(tmp_path, HELLO)
    (tmp_path / "own.py").write_text(f"def {name}(one, two=None): one.no_such_thing")
    own = "--hooks", "own.py"
    ended = run_to_end(tmp_path, "served:app", "--bind", "127.0.0.1:0", *own, *options)
    assert ended.returncode == 1
    assert f"hook {name} failed" in ended.stderr
    assert ended.stderr.count("AttributeError: ") == 1
    assert "cannot be loaded" not in ended.stderr
