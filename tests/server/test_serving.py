"""``onegate.serve`` and ``onegate.Server``: serving from a program of one's own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import onegate
import pytest

from tests.server import processes
from tests.server.helpers import DEADLINE, Client, Server, started, wait_for
from tests.server.processes import children, running
from tests.server.sources import ASK

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import atexit, os, signal
import onegate

STATE = "made by the program"
atexit.register(lambda: print("the program's end", flush=True))

def app(environ, start_response):
    content = f"{STATE} {os.getpid()}".encode()
    if environ["PATH_INFO"] == "/registers":
        atexit.register(lambda: print("the worker's end", flush=True))
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]

def handlers():
    return [signal.getsignal(number) for number in range(1, 30)], signal.set_wakeup_fd(-1)

before = handlers()
try:
    status = onegate.serve(app, bind="127.0.0.1:0", OPTIONS)
    print("behind serve:", status, handlers() == before, flush=True)
finally:
    print("finally", flush=True)
"""


@contextlib.contextmanager
def program(
    folder: Path, options: str = "workers=2", source: str = PROGRAM, **environ: str
) -> Iterator[Server]:
    (folder / "program.py").write_text(source.replace("OPTIONS", options))
    with (
        (folder / "out").open("w") as out,
        started(folder, [sys.executable, "program.py"], environ, out) as server,
    ):
        yield server


def printed(server: Server) -> list[str]:
    return (server.folder / "out").read_text().splitlines()


def test_serve_has_a_master_and_workers_and_returns(tmp_path: Path) -> None:
    with program(tmp_path) as server:
        server.find_port()
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        text, _, pid = server.get("/registers").text.rpartition(" ")
        assert text == "made by the program"
        assert int(pid) in children(server.process.pid)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: int(pid) not in children(server.process.pid), "the next workers")
        assert server.get().text.startswith("made by the program")
        assert server.stop() == 0
        # What is behind the call, and what the program registered, is done once: by the program.
        assert printed(server) == [
            "the worker's end",
            "behind serve: 0 True",
            "finally",
            "the program's end",
        ]


def test_usr2_starts_the_program_anew(tmp_path: Path) -> None:
    with program(tmp_path) as server:
        server.find_port()
        assert server.get().status == 200
        text = (tmp_path / "program.py").read_text()
        (tmp_path / "program.py").write_text(text.replace("made by", "made anew by"))
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            assert server.process.wait(DEADLINE) == 0
            assert server.get().text.startswith("made anew by the program")
        finally:
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")


def test_variables_count_and_keywords_are_stronger(tmp_path: Path) -> None:
    with program(tmp_path, "threads=2", ONEGATE_THREADS="5", WEB_CONCURRENCY="3") as server:
        server.wait_for_log("3 workers with 2 threads")
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ("worker=2", {}, "unknown setting 'worker'; did you mean workers?"),
        ("workers='2'", {}, "workers: invalid value '2', expected an integer of at least 1"),
        ("preload=True", {}, "preload: not available with serve()"),
        ("", {"ONEGATE_RELOAD": "1"}, "reload: not available with serve()"),
    ],
)
def test_a_wrong_setting_is_one_exception(
    tmp_path: Path, options: str, environ: dict[str, str], message: str
) -> None:
    with program(tmp_path, options, **environ) as server:
        assert server.process.wait(DEADLINE) == 1
        server.wait_for_log(re.escape(f"onegate.SettingsError: {message}"))


def test_the_programs_own_children_are_its_own(tmp_path: Path) -> None:
    source = PROGRAM.replace(
        "before = ",
        "import subprocess\nchild = subprocess.Popen(['sh', '-c', 'exit 7'])\nbefore = ",
    )
    source = source.replace("behind serve:", "child:")
    source = source.replace("status, handlers() == before", "child.wait()")
    with program(tmp_path, source=source) as server:
        server.find_port()
        assert server.get().status == 200
        worker = int(server.get().text.rpartition(" ")[2])
        os.kill(worker, signal.SIGKILL)
        server.wait_for_log(f"{worker} was killed by SIGKILL")
        assert server.stop() == 0
        assert "child: 7" in printed(server)


# ── in this process ──────────────────────────────────────────────────────────────────────────────


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    content = threading.current_thread().name.encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


def connect(server: onegate.Server, index: int = 0) -> Client:
    url = urlsplit(server.urls[index])
    return Client(socket.create_connection((url.hostname or "", url.port or 0), DEADLINE))


def get(server: onegate.Server) -> str:
    with connect(server) as client:
        return client.send(ASK).response().text


@pytest.mark.parametrize("threads", [1, 3])
def test_a_server_in_a_thread(threads: int) -> None:
    before = threading.active_count()
    handlers = [signal.getsignal(number) for number in range(1, 30)]
    with onegate.Server(app, bind="127.0.0.1:0", threads=threads) as server:
        assert get(server).startswith("onegate")
    assert [signal.getsignal(number) for number in range(1, 30)] == handlers
    with pytest.raises(ConnectionRefusedError):
        connect(server)
    wait_for(lambda: threading.active_count() == before, "the end of its threads")


def test_stop_answers_what_was_asked() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        entered.set()
        go_on.wait(DEADLINE)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = onegate.Server(slow, bind="127.0.0.1:0")
    thread = threading.Thread(target=server.run)
    thread.start()
    with connect(server) as client, connect(server) as queued:
        client.send(ASK)
        queued.send(ASK)
        assert entered.wait(DEADLINE)
        server.stop()
        server.stop()
        go_on.set()
        assert client.response().text == "ok"
        assert queued.response().text == "ok"
    thread.join(DEADLINE)
    assert not thread.is_alive()
    server.run()  # which is over


def test_serve_in_another_thread_is_such_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[onegate.Server] = []

    class Kept(onegate.Server):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            made.append(self)

    monkeypatch.setattr("onegate.serving.Server", Kept)
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(onegate.serve(app, bind="127.0.0.1:0")))
    thread.start()
    wait_for(lambda: made, "the server")
    assert get(made[0]) == thread.name
    made[0].stop()
    thread.join(DEADLINE)
    assert results == [0]


def test_two_at_once_and_nothing_is_left(tmp_path: Path) -> None:
    def descriptors() -> int:
        return processes.descriptors(os.getpid())

    def once() -> None:
        path = f"unix:{tmp_path}/socket"
        with (
            onegate.Server(app, bind=("127.0.0.1:0", path)) as one,
            onegate.Server(app, bind="127.0.0.1:0", threads=2) as other,
        ):
            assert get(one)
            assert get(other)
            assert one.urls[1] == path
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(f"{tmp_path}/socket")
                assert Client(sock).send(ASK).response().status == 200
        assert not (tmp_path / "socket").exists()

    once()  # what is imported, and opened, on the first use
    before = descriptors()
    for _ in range(5):
        once()
    onegate.Server(app, bind="127.0.0.1:0").stop()  # never run
    wait_for(lambda: descriptors() <= before, "the end of all descriptors")


def test_what_belongs_to_processes_is_refused() -> None:
    with pytest.raises(onegate.SettingsError, match="workers: not available with Server"):
        onegate.Server(app, workers=2)
    with pytest.raises(onegate.SettingsError, match="unknown setting 'thread'"):
        onegate.Server(app, thread=2)
    with pytest.raises(TypeError, match="the application must be callable, not int"):
        onegate.Server(1)  # type: ignore[arg-type]
    with pytest.raises(onegate.SettingsError, match="--bind nowhere"):
        onegate.Server(app, bind="nowhere")


def test_it_takes_nothing_of_the_programs() -> None:
    """Its environment, its logging, its signals; and asks nobody's children how they ended."""
    source = """
import os, subprocess, sys, logging
os.environ["NOTIFY_SOCKET"] = "/somewhere"
import onegate
found = [name for name in sys.modules if name.startswith("onegate.")]
assert found == ["onegate._version"], "lazily"
child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
with onegate.Server(lambda *_: [], bind="127.0.0.1:0"):
    assert child.wait() == 7
assert os.environ["NOTIFY_SOCKET"] == "/somewhere"
assert logging.getLogger("onegate").handlers == []
"""
    subprocess.run([sys.executable, "-c", source], timeout=DEADLINE, check=True)
