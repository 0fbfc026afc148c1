"""Master and workers as the user meets them: signals, ends, replacements."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, HELLO, serving, wait_for

if TYPE_CHECKING:
    from tests.server.conftest import Serve

PID = """
import os

def app(environ, start_response):
    content = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
"""
WAITS = """
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "11")])
    yield b"first "
    Path("gate").read_bytes()
    yield b"later"
"""


def children(pid: int) -> dict[int, str]:
    """The state of each child process: R, S, Z and so on."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                status = Path(f"/proc/{child}/stat").read_text()
            except OSError:
                continue
            found[int(child)] = status.rpartition(") ")[2][0]
    return found


def running(pid: int) -> bool:
    """Whether there is such a process that is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_two_workers_serve(serve: Serve) -> None:
    server = serve(PID, "--workers", "2")
    seen: set[bytes] = set()

    def ask() -> bool:
        # Connections that are open at once: a worker that has one leaves the next to the other.
        clients = [server.connect() for _ in range(8)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for client in clients:
            with client:
                seen.add(client.response().content)
        return len(seen) == 2

    wait_for(ask, "answers of both workers")
    assert {int(pid) for pid in seen} == children(server.process.pid).keys()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_killed_worker_is_replaced_and_no_zombie_remains(
    serve: Serve, number: signal.Signals
) -> None:
    server = serve(PID, "--workers", "2")
    wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
    victim = int(server.get().content)
    os.kill(victim, number)
    server.wait_for_log(f"{victim} was killed by {number.name}")

    def whole() -> bool:
        now = children(server.process.pid)
        return victim not in now and len(now) == 2 and "Z" not in now.values()

    wait_for(whole, "two workers again")
    assert int(server.get().content) != victim


def test_sigterm_lets_the_request_in_flight_finish(serve: Serve) -> None:
    server = serve(WAITS)
    os.mkfifo(server.folder / "gate")
    with server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.head().status == 200
        assert client.read(6) == b"first "
        server.process.send_signal(signal.SIGTERM)
        with (server.folder / "gate").open("wb"):
            pass
        assert client.rest() == b"later"
    assert server.process.wait(DEADLINE) == 0


def test_idle_connections_do_not_delay_sigterm(tmp_path: Path) -> None:
    options = ("--graceful-timeout", "1000")
    with serving(tmp_path, HELLO, *options) as server, server.connect() as idle:
        assert idle.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200
        assert server.stop(signal.SIGTERM) == 0
        assert idle.closed()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_sigint_does_not_wait_for_clients(tmp_path: Path, number: signal.Signals) -> None:
    """A client that has sent half a request, and one that does not take its answer."""
    large = HELLO.replace('"6"', "str(50_000_000)").replace('b"Hello\\n"', "bytes(50_000_000)")
    with (
        serving(tmp_path, large, "--graceful-timeout", "1000") as server,
        server.connect() as half,
        server.connect() as slow,
    ):
        half.send(b"GET / HT")
        slow.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert slow.head().status == 200
        assert server.stop(number) == 0


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    with serving(tmp_path, PID, "--workers", "2") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        workers = children(server.process.pid)
        assert server.get().status == 200
        assert server.stop(signal.SIGTERM) == 0
        assert not any(running(pid) for pid in workers)
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def test_workers_end_when_the_master_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path, PID, "--workers", "2") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        workers = children(server.process.pid)
        assert server.get().status == 200
        server.kill()
        wait_for(lambda: not any(running(pid) for pid in workers), "end of the workers")
