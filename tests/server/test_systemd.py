"""systemd's two conventions, with this test in its place; and ``fd://N``."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server.helpers import DEADLINE, HELLO, Server, wait_for, write_app
from tests.server.processes import children, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
# What systemd does between fork and exec.
EXEC = """
import os, sys
descriptor, *command = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(command[0], command)
"""


@contextlib.contextmanager
def manager(folder: Path) -> Iterator[socket.socket]:
    """The socket to which services tell how they are."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(folder / "notify"))
        sock.settimeout(DEADLINE)
        yield sock


def told(sock: socket.socket, what: str) -> dict[str, str]:
    """The next message that has ``what`` in it."""
    while True:
        message = dict(line.split("=", 1) for line in sock.recv(4096).decode().splitlines())
        if what in message:
            return message


@contextlib.contextmanager
def service(
    folder: Path, listener: socket.socket, *options: str, **environ: str
) -> Iterator[Server]:
    """A service that finds a listening socket as descriptor 3."""
    write_app(folder, HELLO)
    number = str(listener.fileno())
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", EXEC, number),
            *(sys.executable, "-m", "onegate", "served:app", *options),
        ],
        cwd=folder,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=(listener.fileno(),),
    )
    server = Server(process, folder)
    server.host, server.port = listener.getsockname()
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as sock:
        yield sock


def test_socket_activation(tmp_path: Path) -> None:
    with listening() as sock, service(tmp_path, sock, LISTEN_FDS="1") as server:
        assert server.get().status == 200
        assert server.stop() == 0
        # The socket is the service manager's: who comes now waits for the next start.
        with server.connect() as waits:
            waits.send(ASK)
            assert waits.silent()
            with service(tmp_path, sock, LISTEN_FDS="1") as again:
                assert waits.response().status == 200
                assert again.stop() == 0


def test_usr2_hands_down_an_activated_socket(tmp_path: Path) -> None:
    with (
        listening() as sock,
        manager(tmp_path) as notify,
        service(tmp_path, sock, LISTEN_FDS="1", NOTIFY_SOCKET=str(tmp_path / "notify")) as server,
    ):
        assert told(notify, "READY")["MAINPID"] == str(server.process.pid)
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            assert told(notify, "READY")["MAINPID"] == str(new)
            assert server.process.wait(DEADLINE) == 0
            assert server.get().status == 200
        finally:
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")


def test_usr2_hands_the_service_over_and_it_never_stops(tmp_path: Path) -> None:
    """Only who is the main process may say who the next one is (NotifyAccess=main)."""
    with (
        listening() as sock,
        manager(tmp_path) as notify,
        service(tmp_path, sock, LISTEN_FDS="1", NOTIFY_SOCKET=str(tmp_path / "notify")) as server,
    ):
        notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        old = server.process.pid
        assert told(notify, "READY")["MAINPID"] == str(old)
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        assert server.process.wait(DEADLINE) == 0
        os.kill(new, signal.SIGTERM)
        wait_for(lambda: not running(new), "the new master's end")
        said: list[tuple[int, str]] = []
        while (new, "STOPPING=1") not in said:
            message, controls, _, _ = notify.recvmsg(4096, 100)
            [(_, _, credentials)] = controls
            said.append((struct.unpack("3i", credentials)[0], message.decode()))
        assert said == [
            (new, f"READY=1\nMAINPID={new}"),
            (old, f"MAINPID={new}"),
            (new, "STOPPING=1"),
        ]


def test_a_new_master_that_cannot_serve_says_nothing_of_the_service(tmp_path: Path) -> None:
    with (
        listening() as sock,
        manager(tmp_path) as notify,
        service(tmp_path, sock, LISTEN_FDS="1", NOTIFY_SOCKET=str(tmp_path / "notify")) as server,
    ):
        assert told(notify, "READY")
        write_app(tmp_path, "raise RuntimeError('no such luck')")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for_log(
            r"new master \d+ exited with status 1 before it was ready; upgrade cancelled"
        )
        server.process.send_signal(signal.SIGHUP)
        assert notify.recv(4096).startswith(b"RELOADING=1"), "the next word after READY"


def test_nothing_is_left_between_two_masters(tmp_path: Path) -> None:
    """Nor if the old one is killed while the new one loads the application."""
    with listening() as sock, service(tmp_path, sock, LISTEN_FDS="1") as server:
        assert server.get().status == 200
        os.mkfifo(tmp_path / "gate")
        write_app(tmp_path, "open('gate').read()\n" + HELLO)
        before = children(server.process.pid)
        server.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: server.log.count("listens on") == 2, "the new master")
        [between] = children(server.process.pid).keys() - before.keys()
        [new] = children(between)
        try:
            server.kill()
            wait_for(lambda: not running(between), "the end of the process in between")
            wait_for(lambda: not running(new), "the end of the new master, that nobody waits for")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(new, signal.SIGKILL)


def test_fd_n(tmp_path: Path) -> None:
    with listening() as sock, service(tmp_path, sock, "--bind", "fd://3") as server:
        assert server.get().status == 200
        assert server.stop() == 0


def test_an_fd_that_is_no_listening_socket_is_refused(tmp_path: Path) -> None:
    with (
        socket.socket() as sock,
        listening() as other,
        service(tmp_path, other, "--bind", f"fd://{sock.fileno() + 500}") as server,
    ):
        assert server.process.wait(DEADLINE) == 2
        wait_for(lambda: "is not a socket" in server.log, "the reason")


def test_notify_ready_reloading_stopping(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with (
        listening() as sock,
        manager(tmp_path) as notify,
        service(tmp_path, sock, LISTEN_FDS="1", NOTIFY_SOCKET=str(address)) as server,
    ):
        first = notify.recv(4096).decode()
        assert first == f"READY=1\nMAINPID={server.process.pid}"
        server.process.send_signal(signal.SIGHUP)
        assert told(notify, "RELOADING")["MONOTONIC_USEC"].isdigit()
        assert told(notify, "READY")
        write_app(tmp_path, "raise RuntimeError")
        server.process.send_signal(signal.SIGHUP)
        assert told(notify, "RELOADING")
        assert told(notify, "READY"), "the old workers go on"
        server.process.send_signal(signal.SIGTERM)
        assert told(notify, "STOPPING")
        assert server.process.wait(DEADLINE) == 0


def test_watchdog(tmp_path: Path) -> None:
    with (
        listening() as sock,
        manager(tmp_path) as notify,
        service(
            tmp_path,
            sock,
            LISTEN_FDS="1",
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            WATCHDOG_USEC="400000",
        ) as server,
    ):
        times = []
        for _ in range(5):
            told(notify, "WATCHDOG")
            times.append(time.monotonic())
        # Each on a machine that has time; on a busy one at least one of them.
        assert min(b - a for a, b in pairwise(times)) < 0.4
        assert server.stop() == 0
