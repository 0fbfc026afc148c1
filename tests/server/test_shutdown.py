"""``onegate.master.shutdown``: how a server ends, gracefully and at once."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, HELLO, Client, Server, serving, wait_for
from tests.server.loads import both, under_load
from tests.server.processes import children, running
from tests.server.sources import ASK, GATE, HANG, PID, called, gate

if TYPE_CHECKING:
    from tests.server.conftest import Serve

WAITS = """
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "11")])
    yield b"first "
    Path("gate").read_bytes()
    yield b"later"
"""

# ── gracefully ────────────────────────────────────────────────────────────────────────────────────


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


def test_term_finishes_a_request_whose_call_has_not_answered(serve: Serve) -> None:
    server = serve(GATE)
    gate(server.folder)
    with server.connect() as client:
        client.send(HANG)
        called(server.folder)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        with (server.folder / "gate").open("w"):
            pass
        assert client.response().content == b"ok"
        assert client.closed()
    assert server.process.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:0", f"unix:@onegate queue {os.getpid()}"], ids=["tcp", "abstract"]
)
def test_term_answers_100_who_wait_in_the_queue(serve: Serve, bind: str) -> None:
    """More than what a worker does in the moment for which it still listens."""

    def connect() -> Client:
        if bind.startswith("127"):
            return server.connect()
        sock = socket.socket(socket.AF_UNIX)
        sock.connect("\0" + bind.removeprefix("unix:@"))
        return Client(sock)

    server = serve(
        GATE.replace("    start_response", "    time.sleep(0.005)\n    start_response", 1).replace(
            "from pathlib", "import time\nfrom pathlib"
        ),
        bind=bind,
    )
    gate(server.folder)
    with connect() as first:
        first.send(HANG)
        called(server.folder)
        clients = [connect().send(ASK) for _ in range(100)]
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        with (server.folder / "gate").open("w"):
            pass
        for client in (first, *clients):
            with client:
                assert client.response().content == b"ok"
    assert server.process.wait(DEADLINE) == 0


def test_the_next_instance_keeps_its_socket_and_its_pid_file(tmp_path: Path) -> None:
    """It begins while this one, which was told to stop, still answers."""
    path = tmp_path / "socket"
    options = ("--bind", f"unix:{path}", "--pidfile", str(tmp_path / "pid"))
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with serving(tmp_path / "old", GATE, *options) as old:
        gate(old.folder)
        with old.connect() as client:
            client.send(HANG)
            called(old.folder)
            old.process.send_signal(signal.SIGTERM)
            wait_for(lambda: not path.exists(), "the end of the socket's file")
            with serving(tmp_path / "new", PID, *options) as new:
                assert new.get().status == 200
                new.wait_for_log(rf"--pidfile .* contains {old.process.pid}, the pid of a running")
                with (old.folder / "gate").open("w"):
                    pass
                assert client.response().content == b"ok"
                assert old.process.wait(DEADLINE) == 0
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(str(path))
                    assert Client(sock).send(ASK).response().status == 200
                assert (tmp_path / "pid").read_text() == f"{new.process.pid}\n"
    assert not path.exists()


def test_after_graceful_timeout_the_rest_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path, GATE, "--graceful-timeout", "0.3") as server:
        gate(tmp_path)
        with server.connect() as client:
            client.send(HANG)
            called(tmp_path)
            assert server.stop(signal.SIGTERM) == 0
            assert client.closed()
        assert re.search(r"worker \d+ was killed: it did not end in time", server.log)


def test_a_client_that_takes_nothing_does_not_hold_the_end(tmp_path: Path) -> None:
    large = HELLO.replace('"6"', "str(50_000_000)").replace('b"Hello\\n"', "bytes(50_000_000)")
    with serving(tmp_path, large, "--graceful-timeout", "0.3") as server, server.connect() as slow:
        slow.send(ASK)
        assert slow.head().status == 200
        assert server.stop(signal.SIGTERM) == 0
        assert "was killed" not in server.log


def test_drain_delay_goes_on_accepting(tmp_path: Path) -> None:
    with serving(tmp_path, HELLO, "--drain-delay", "1.5") as server:
        assert server.get().status == 200
        before = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        assert server.get().status == 200
        assert server.process.wait(DEADLINE) == 0
        assert time.monotonic() - before >= 1.5


@both
def test_term_loses_none_of_8_clients(load_server: Server, keep_alive: bool) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        assert load_server.stop() == 0
        before = load.refused
        wait_for(lambda: load.refused >= before + 8, "refused connections")
    assert load.lost == []


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    with serving(tmp_path, PID, "--workers", "2") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        workers = children(server.process.pid)
        assert server.get().status == 200
        assert server.stop(signal.SIGTERM) == 0
        assert not any(running(pid) for pid in workers)
        with pytest.raises(ConnectionRefusedError):
            server.connect()


# ── at once ───────────────────────────────────────────────────────────────────────────────────────


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


def test_int_ends_a_drain_delay(tmp_path: Path) -> None:
    with serving(tmp_path, HELLO, "--drain-delay", "1000") as server:
        assert server.get().status == 200
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        assert server.stop(signal.SIGINT) == 0
