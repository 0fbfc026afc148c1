"""USR2: ``onegate.master.upgrade``. A new master takes over."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, HELLO, Client, Server, serving, wait_for, write_app
from tests.server.loads import both, under_load
from tests.server.ports import free_port, get
from tests.server.processes import children, parent, running
from tests.server.sources import VERSION

if TYPE_CHECKING:
    from tests.server.conftest import Serve


def taken_over(server: Server) -> int:
    server.process.send_signal(signal.SIGUSR2)
    new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
    assert server.process.wait(DEADLINE) == 0
    return new


def ended(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not running(pid), "the new master's end")


@both
def test_usr2_loses_none_of_8_clients(load_server: Server, keep_alive: bool) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        load_server.process.send_signal(signal.SIGUSR2)
        new = int(load_server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            assert load_server.process.wait(DEADLINE) == 0
            load.progress()
        finally:
            load.over.set()
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")
    assert load.lost == []
    assert "Traceback" not in load_server.log


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
        write_app(tmp_path, "raise RuntimeError('no such luck')")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for_log("new master .* before it was ready; upgrade cancelled")
        assert server.get().text == "1"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "socket"))
        assert (tmp_path / "pid").read_text() == f"{server.process.pid}\n"


def test_usr2_twice_starts_one(serve: Serve) -> None:
    server = serve()
    assert server.get().status == 200
    os.mkfifo(server.folder / "gate")
    write_app(server.folder, "open('gate').read()\n" + HELLO)
    server.process.send_signal(signal.SIGUSR2)
    wait_for(lambda: len(re.findall("listens on", server.log)) == 2, "the new master")
    server.process.send_signal(signal.SIGUSR2)
    server.wait_for_log("USR2 ignored: a new master is already starting")
    with (server.folder / "gate").open("w"):
        pass
    new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
    try:
        assert server.process.wait(DEADLINE) == 0
        assert server.get().status == 200
    finally:
        ended(new)


def test_the_new_master_begins_where_the_first_start_did(tmp_path: Path) -> None:
    """With its environment and umask too, and the settings as they are by now."""
    source = """
import json, os

def app(environ, start_response):
    umask = os.umask(0)
    os.umask(umask)
    start_response("200 OK", [])
    return [json.dumps([os.getcwd(), os.environ.get("A"), os.environ.get("B"), umask]).encode()]
"""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_app(tmp_path / name, source)
    config = tmp_path / "onegate.toml"
    config.write_text('chdir = "one"\numask = "077"\nenv = { A = "1", B = "1" }')
    launcher = ("sh", "-c", 'umask 022; exec "$@"', "sh")
    environ = {"B": "0"}
    options = ("--config", "onegate.toml")
    with serving(tmp_path, "", *options, launcher=launcher, environ=environ) as server:
        assert json.loads(server.get().content) == [str(tmp_path / "one"), "1", "1", 0o77]
        config.write_text('chdir = "two"\nenv = { A = "2" }')
        new = taken_over(server)
        try:
            assert json.loads(server.get().content) == [str(tmp_path / "two"), "2", "0", 0o22]
        finally:
            ended(new)


def test_a_relative_chdir_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_app(tmp_path / "sub", HELLO)
    with serving(tmp_path, "", "--chdir", "sub") as server:
        assert server.get().status == 200
        new = taken_over(server)
        try:
            assert server.get().status == 200
        finally:
            ended(new)


def test_the_directory_of_the_first_start_is_gone(tmp_path: Path) -> None:
    """What is relative to it fails, and is not looked for elsewhere; what is absolute works."""
    start, app = tmp_path / "start", tmp_path / "app"
    for folder in (start, app):
        folder.mkdir()
    write_app(app, HELLO)
    with serving(start, "", "--chdir", str(app)) as server:
        assert server.get().status == 200
        shutil.rmtree(start)
        new = taken_over(server)
        try:
            assert server.get().status == 200
        finally:
            ended(new)
    start.mkdir()
    with serving(start, HELLO) as server:
        assert server.get().status == 200
        shutil.rmtree(start)
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for_log("new master .* before it was ready; upgrade cancelled")
        assert server.get().status == 200


def test_a_listener_that_the_new_settings_do_not_have_is_closed(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    config = tmp_path / "onegate.toml"
    config.write_text(f'bind = ["127.0.0.1:{first}", "127.0.0.1:{second}", "unix:socket"]')
    with serving(tmp_path, HELLO, "--config", "onegate.toml", bind="") as server:
        assert (get(first), get(second)) == ("Hello\n", "Hello\n")
        config.write_text(f'bind = ["127.0.0.1:{first}"]')
        new = taken_over(server)
        try:
            assert get(first) == "Hello\n"
            with pytest.raises(ConnectionRefusedError):
                get(second)
            assert not (tmp_path / "socket").exists()
        finally:
            ended(new)


def test_a_new_master_without_socket_mode_returns_the_socket_to_its_default_mode(
    tmp_path: Path,
) -> None:
    path, config = tmp_path / "socket", tmp_path / "onegate.toml"
    config.write_text('socket_mode = "660"')
    options = ("--bind", "unix:socket", "--config", "onegate.toml")
    with serving(tmp_path, HELLO, *options) as server:
        assert server.get().status == 200
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        config.write_text('umask = "027"')
        new = taken_over(server)
        try:
            assert stat.S_IMODE(path.stat().st_mode) == 0o750
        finally:
            ended(new)


# ── the end of somebody before the new master serves ──────────────────────────────────────────────

plain_and_preload = pytest.mark.parametrize(
    "options", [(), ("--preload",)], ids=["plain", "preload"]
)


def starting(server: Server) -> tuple[int, int]:
    """Have a new master start that is not done before ``gate`` is opened. Its process number, and
    that of the process in between."""
    os.mkfifo(server.folder / "gate")
    write_app(server.folder, "open('gate').read()\n" + VERSION.format(2))
    server.process.send_signal(signal.SIGUSR2)
    # It says itself who it is: a worker of a zygote may become the master's child only now.
    new = int(server.wait_for_log(r"(?s)listens on .*\[(\d+)\] INFO onegate \S+ listens on")[1])
    between = parent(new)
    wait_for(lambda: children(new), "one that loads")
    return new, between


def serves_on(server: Server) -> None:
    """The old master does: in both places, with its files, and it can be replaced."""
    assert server.get().text == "1"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(server.folder / "socket"))
        assert Client(sock).send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().text == "1"
    assert (server.folder / "pid").read_text() == f"{server.process.pid}\n"
    write_app(server.folder, VERSION.format(3))
    new = taken_over(server)
    try:
        assert server.get().text == "3"
    finally:
        ended(new)


@plain_and_preload
@pytest.mark.parametrize("drain", [(), ("--drain-delay", "0.5")], ids=["", "drain"])
def test_a_stop_ends_a_new_master_that_does_not_serve(
    tmp_path: Path, options: tuple[str, ...], drain: tuple[str, ...]
) -> None:
    here = "--bind", "unix:socket", "--pidfile", "pid"
    with serving(tmp_path, VERSION.format(1), *here, *options, *drain) as server:
        assert server.get().text == "1"
        new, _ = starting(server)
        loading = children(new).keys()
        assert server.stop() == 0
        assert not running(new)
        wait_for(lambda: not any(map(running, loading)), "the end of its worker")
        assert not (tmp_path / "socket").exists()
        assert not (tmp_path / "pid").exists()


def test_a_new_master_that_fails_removes_the_file_that_it_has_made(tmp_path: Path) -> None:
    (tmp_path / "onegate.toml").write_text('bind = ["unix:one"]')
    write_app(tmp_path, HELLO)
    with serving(tmp_path, HELLO, "--config", "onegate.toml", bind="") as server:
        wait_for((tmp_path / "one").exists, "the first")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "one"))
            assert Client(sock).send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
        (tmp_path / "onegate.toml").write_text('bind = ["unix:one", "unix:two"]')
        write_app(tmp_path, "raise RuntimeError('no such luck')")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for_log("new master .* before it was ready; upgrade cancelled")
        assert "unix:two" in server.log
        assert not (tmp_path / "two").exists()
        assert (tmp_path / "one").exists()


@plain_and_preload
def test_the_process_in_between_is_killed(tmp_path: Path, options: tuple[str, ...]) -> None:
    here = "--bind", "unix:socket", "--pidfile", "pid"
    with serving(tmp_path, VERSION.format(1), *here, *options) as server:
        assert server.get().text == "1"
        new, between = starting(server)
        loading = children(new).keys()
        os.kill(between, signal.SIGKILL)
        server.wait_for_log("the previous master has exited or cancelled the upgrade; exiting")
        wait_for(lambda: not running(new), "the new master's end")
        wait_for(lambda: not any(map(running, loading)), "the end of its worker")
        serves_on(server)
    assert "Traceback" not in server.log


@plain_and_preload
def test_the_old_master_is_killed(tmp_path: Path, options: tuple[str, ...]) -> None:
    with serving(tmp_path, VERSION.format(1), *options) as server:
        assert server.get().text == "1"
        there = children(server.process.pid).keys()
        new, _ = starting(server)
        there |= {new} | children(new).keys()
        server.kill()
        wait_for(lambda: not any(map(running, there)), "the end of all")
    assert "Traceback" not in server.log
