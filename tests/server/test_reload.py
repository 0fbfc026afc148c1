"""HUP, USR2, retiring workers and TERM under load: nothing is lost, and a bad reload is none."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, HELLO, Client, Server, serving, wait_for
from tests.server.loads import ECHO, Load, under_load
from tests.server.processes import children, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.conftest import Serve

VERSION = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "1")])
    return [b"{}"]
"""
both = pytest.mark.parametrize("keep_alive", [True, False], ids=["keep_alive", "close"])


@pytest.fixture
def load_server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, ECHO, "--workers", "2") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        yield server


def reloaded(server: Server, load: Load | None = None) -> None:
    """Reload and wait until only new workers are left."""
    before = children(server.process.pid)
    server.process.send_signal(signal.SIGHUP)
    try:
        wait_for(
            lambda: not before.keys() & children(server.process.pid).keys(), "the old ones' end"
        )
    except AssertionError as error:
        raise AssertionError(f"{error} ({before}):\n{server.log}") from None
    if load is not None:
        load.progress()


# ── the bar: eight clients without pause ─────────────────────────────────────────────────────────


@both
def test_two_hups_lose_none_of_8_clients(load_server: Server, keep_alive: bool) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        reloaded(load_server, load)
        reloaded(load_server, load)
    assert load.lost == []
    assert load.refused == 0


@both
def test_usr2_loses_none_of_8_clients(load_server: Server, keep_alive: bool) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        load_server.process.send_signal(signal.SIGUSR2)
        new = int(load_server.wait_for_log(r"process (\d+) has taken over")[1])
        try:
            assert load_server.process.wait(DEADLINE) == 0
            load.progress()
        finally:
            load.over.set()
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")
    assert load.lost == []
    assert "Traceback" not in load_server.log


@both
def test_max_requests_100_loses_none_of_8_clients(tmp_path: Path, keep_alive: bool) -> None:
    with serving(tmp_path, ECHO, "--workers", "2", "--max-requests", "100") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        first = children(server.process.pid)
        with under_load(server, keep_alive=keep_alive) as load:

            def replaced() -> bool:
                return server.log.count("is to be replaced") >= 8

            wait_for(replaced, "eight replacements")
            load.progress()
        wait_for(
            lambda: not first.keys() & children(server.process.pid).keys(), "the first ones' end"
        )
    assert load.lost == []
    assert load.refused == 0


@both
def test_term_loses_none_of_8_clients(load_server: Server, keep_alive: bool) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        assert load_server.stop() == 0
        before = load.refused
        wait_for(lambda: load.refused >= before + 8, "refused connections")
    assert load.lost == []


@both
def test_kill_9_of_a_worker_loses_at_most_one_request_of_each_of_8_clients(
    load_server: Server, keep_alive: bool
) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        victim = min(children(load_server.process.pid))
        os.kill(victim, signal.SIGKILL)
        load_server.wait_for_log(f"{victim} was killed by SIGKILL, not by this server")
        load.progress()
    assert load.refused == 0
    clients = [each.split(",")[0] for each in load.lost]
    assert len(clients) == len(set(clients)), load.lost


def test_kill_9_loses_what_the_worker_was_answering_and_not_what_is_queued(serve: Serve) -> None:
    server = serve(
        """
import os
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    if environ["PATH_INFO"] == "/hang":
        Path("pid").write_text(str(os.getpid()))
        Path("gate").read_bytes()
    return [b"ok"]
"""
    )
    os.mkfifo(server.folder / "gate")
    pid = server.folder / "pid"
    with server.connect() as hangs, server.connect() as queued:
        hangs.send(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: pid.exists() and pid.read_text(), "the call")
        others = [server.connect().send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(5)]
        os.kill(int(pid.read_text()), signal.SIGKILL)
        assert hangs.closed()
        for client in (*others, queued.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")):
            with client:
                assert client.response().content == b"ok"


# ── what a reload loads ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_hup_loads_new_code(serve: Serve, options: tuple[str, ...]) -> None:
    server = serve(VERSION.format(1), "--workers", "2", *options)
    wait_for(lambda: len(children(server.process.pid)) == 2 + len(options), "two workers")
    assert server.get().text == "1"
    # Of another size: one that differs by content alone may be taken for what was compiled.
    (server.folder / "served.py").write_text(VERSION.format(2) + "\n")
    reloaded(server)
    assert {server.get().text for _ in range(10)} == {"2"}


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_hup_with_broken_code_keeps_the_old_workers(serve: Serve, options: tuple[str, ...]) -> None:
    server = serve(VERSION.format(1), *options)
    assert server.get().text == "1"
    # With a template, when the process between the two forks has ended.
    count = 2 if options else 1
    wait_for(lambda: len(children(server.process.pid)) == count, "the first worker")
    workers = children(server.process.pid)
    for attempt in (1, 2):
        (server.folder / "served.py").write_text(
            "raise RuntimeError('no such luck')" + " " * attempt
        )
        server.process.send_signal(signal.SIGHUP)

        def failed(count: int = attempt) -> bool:
            return server.log.count("reload failed, the old workers go on") == count

        wait_for(failed, "a reload that failed")
    assert "RuntimeError: no such luck" in server.log
    assert {server.get().text for _ in range(10)} == {"1"}
    wait_for(lambda: children(server.process.pid).keys() == workers.keys(), "the same workers")
    (server.folder / "served.py").write_text(VERSION.format(3) + "\n\n")
    reloaded(server)
    assert server.get().text == "3"


# ── what a reload configures ─────────────────────────────────────────────────────────────────────


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def get(port: int) -> str:
    with Client(socket.create_connection(("127.0.0.1", port), DEADLINE)) as client:
        return client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().text


def configured(folder: Path, **values: object) -> None:
    lines = (f"{name} = {value!r}".replace("True", "true") for name, value in values.items())
    (folder / "onegate.toml").write_text("\n".join(lines))


def test_hup_changes_the_number_of_workers(tmp_path: Path) -> None:
    configured(tmp_path, workers=1)
    with serving(tmp_path, HELLO, "--config", "onegate.toml") as server:
        assert server.get().status == 200
        configured(tmp_path, workers=3)
        reloaded(server)
        wait_for(lambda: len(children(server.process.pid)) == 3, "three workers")


def test_hup_with_a_bad_configuration_changes_nothing(tmp_path: Path) -> None:
    configured(tmp_path, workers=2)
    with serving(tmp_path, HELLO, "--config", "onegate.toml") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        workers = children(server.process.pid)
        configured(tmp_path, workers=3, no_such_setting=1)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reload failed, nothing is changed: .*no_such_setting")
        assert server.get().status == 200
        assert children(server.process.pid).keys() == workers.keys()


def test_hup_adds_and_removes_a_bind(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    configured(tmp_path, bind=[f"127.0.0.1:{first}"])
    with serving_config(tmp_path) as server:
        assert get(first) == "Hello\n"
        configured(tmp_path, bind=[f"127.0.0.1:{first}", f"127.0.0.1:{second}"])
        reloaded(server)
        assert (get(first), get(second)) == ("Hello\n", "Hello\n")
        configured(tmp_path, bind=[f"127.0.0.1:{second}"])
        reloaded(server)
        assert get(second) == "Hello\n"
        with pytest.raises(ConnectionRefusedError):
            get(first)


def test_hup_again_while_a_new_bind_is_on_trial(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    configured(tmp_path, bind=[f"127.0.0.1:{first}"])
    with serving_config(tmp_path) as server:
        assert get(first) == "Hello\n"
        os.mkfifo(tmp_path / "gate")
        (tmp_path / "served.py").write_text("open('gate').read()\n" + HELLO)
        configured(tmp_path, bind=[f"127.0.0.1:{first}", f"127.0.0.1:{second}"])
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reloading")
        wait_for(lambda: len(children(server.process.pid)) == 2, "one on trial")
        (tmp_path / "served.py").write_text(HELLO)
        reloaded(server)
        assert (get(first), get(second)) == ("Hello\n", "Hello\n")


def test_hup_adds_and_removes_the_status(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    bind = [f"127.0.0.1:{first}"]
    configured(tmp_path, bind=bind)
    with serving_config(tmp_path) as server:
        assert get(first) == "Hello\n"
        configured(tmp_path, bind=bind, status=f"127.0.0.1:{second}")
        reloaded(server)
        assert get(second).startswith("/live")
        configured(tmp_path, bind=bind)
        reloaded(server)
        with pytest.raises(ConnectionRefusedError):
            get(second)
        assert get(first) == "Hello\n"


def serving_config(folder: Path) -> contextlib.AbstractContextManager[Server]:
    """A server whose binds are in a file. ``--bind`` would be stronger than that."""
    return serving(folder, HELLO, "--config", "onegate.toml", bind="")


# ── a new master ─────────────────────────────────────────────────────────────────────────────────


def taken_over(server: Server) -> int:
    server.process.send_signal(signal.SIGUSR2)
    new = int(server.wait_for_log(r"process (\d+) has taken over")[1])
    assert server.process.wait(DEADLINE) == 0
    return new


def ended(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not running(pid), "the new master's end")


def test_usr2_hands_down_every_listener(tmp_path: Path) -> None:
    status = free_port()
    options = ("--status", f"127.0.0.1:{status}", "--pidfile", "pid", "--bind", "unix:socket")
    with serving(tmp_path, HELLO, *options) as server:
        new = taken_over(server)
        try:
            assert (tmp_path / "pid").read_text() == f"{new}\n"
            assert get(server.port) == "Hello\n"
            wait_for(lambda: get(status).startswith("/live"), "the status")
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(tmp_path / "socket"))
                client = Client(sock)
                assert client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
        finally:
            ended(new)
        assert not (tmp_path / "pid").exists()
        assert not (tmp_path / "socket").exists()


def test_usr2_with_a_program_that_does_not_start_changes_nothing(tmp_path: Path) -> None:
    with serving(
        tmp_path, VERSION.format(1), "--bind", "unix:socket", "--pidfile", "pid"
    ) as server:
        assert server.get().text == "1"
        (tmp_path / "served.py").write_text("raise RuntimeError('no such luck')")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for_log("new master .* before it served; this one goes on")
        assert server.get().text == "1"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "socket"))
        assert (tmp_path / "pid").read_text() == f"{server.process.pid}\n"


def test_usr2_twice_starts_one(serve: Serve) -> None:
    server = serve()
    assert server.get().status == 200
    os.mkfifo(server.folder / "gate")
    (server.folder / "served.py").write_text("open('gate').read()\n" + HELLO)
    server.process.send_signal(signal.SIGUSR2)
    wait_for(lambda: len(re.findall("listens on", server.log)) == 2, "the new master")
    server.process.send_signal(signal.SIGUSR2)
    server.wait_for_log("a new master is starting already")
    with (server.folder / "gate").open("w"):
        pass
    new = int(server.wait_for_log(r"process (\d+) has taken over")[1])
    try:
        assert server.process.wait(DEADLINE) == 0
        assert server.get().status == 200
    finally:
        ended(new)
