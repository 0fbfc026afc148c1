"""Who is taken from the kernel's queue, and for whom the application is called."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import HELLO, Client, serving, wait_for
from tests.server.processes import children, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve

COUNTS = """
from pathlib import Path
paths = []

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hang":
        Path("called").touch()
        Path("gate").read_bytes()
    paths.append(path)
    start_response("200 OK", [])
    return [" ".join(paths).encode()]
"""
ASK = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "queued"])
def test_the_app_is_not_called_for_a_client_that_is_gone(serve: Serve, accepted: bool) -> None:
    """Its request is here in full, behind a call that takes a while, and then it resets."""
    server = serve(COUNTS)
    os.mkfifo(server.folder / "gate")
    with server.connect() as hangs, server.connect() as stays, server.connect() as gone:
        if accepted:
            assert gone.send(ASK % b"/first").response().status == 200
        hangs.send(ASK % b"/hang")
        wait_for((server.folder / "called").exists, "the call")
        gone.send(ASK % b"/gone")
        gone.reset()
        stays.send(ASK % b"/stays")
        with (server.folder / "gate").open("w"):
            pass
        assert hangs.response().text.endswith("/hang")
        assert stays.response().text.endswith("/hang /stays")
    assert "/gone" not in server.get("/last").text


def test_the_app_is_called_for_a_client_that_only_sends_no_more(serve: Serve) -> None:
    """Half-closed is not gone (RFC 9112, 9.6): it waits for its answer."""
    server = serve(COUNTS)
    with server.connect() as client:
        client.send(ASK % b"/half").half_close()
        assert client.response().text == "/half"


def test_a_live_unix_socket_is_never_stolen_and_a_stale_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    bind = f"unix:{path}"
    with serving(one, HELLO, "--socket-mode", "660", bind=bind) as first:
        assert path.stat().st_mode & 0o777 == 0o660
        with pytest.raises(AssertionError, match="already in use"), serving(two, bind=bind):
            pass
        assert over(path) == "Hello\n"
        workers = children(first.process.pid)
        os.kill(first.process.pid, signal.SIGKILL)  # leaves its socket behind
        first.process.wait()
        wait_for(lambda: not any(running(pid) for pid in workers), "the end of the workers")
    assert path.exists()
    with serving(two, HELLO, bind=bind):
        assert over(path) == "Hello\n"
    assert not path.exists()


def over(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        return Client(sock).send(ASK % b"/").response().text


def test_idle_connections_give_way_the_longest_first(serve: Serve) -> None:
    server = serve(HELLO, "--worker-connections", "3")
    clients = [server.connect() for _ in range(3)]
    for client in clients:
        assert client.send(ASK % b"/").response().status == 200
    assert clients[0].send(ASK % b"/").response().status == 200  # the second has waited longest now
    with server.connect() as late:
        assert late.send(ASK % b"/").response().status == 200
        assert clients[1].closed()
        for client in (clients[0], clients[2]):
            assert client.send(ASK % b"/").response().status == 200
    for client in clients:
        client.sock.close()


def test_at_the_budget_a_client_waits_in_the_queue_and_is_not_refused(serve: Serve) -> None:
    server = serve(COUNTS, "--worker-connections", "1", "--threads", "2")
    os.mkfifo(server.folder / "gate")
    with server.connect() as hangs, server.connect() as waits:
        hangs.send(ASK % b"/hang")
        wait_for((server.folder / "called").exists, "the call")
        waits.send(ASK % b"/waits")
        assert waits.silent()
        with (server.folder / "gate").open("w"):
            pass
        assert hangs.response().text == "/hang"
        assert waits.response().text == "/hang /waits"
    assert len(children(server.process.pid)) == 1
