"""``onegate.liveness``: who is stuck, and who is not."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from tests.server.processes import children
from tests.server.sources import ASK, GATE, HANG, called, gate

if TYPE_CHECKING:
    from tests.server.conftest import Serve


def test_timeout_kills_a_worker_that_is_stuck_and_shows_where(serve: Serve) -> None:
    server = serve(GATE, "--timeout", "1")
    gate(server.folder)
    first = children(server.process.pid)
    with server.connect() as client, server.connect() as other:
        client.send(HANG)
        called(server.folder)
        first = children(server.process.pid)
        other.send(ASK)
        server.wait_for_log(r"worker \d+ is stuck in one call for \d s; it is killed")
        assert client.closed()
        assert other.response().content == b"ok"
    # Of faulthandler, written by the worker itself.
    server.wait_for_log(r'served.py", line 8 in app')
    assert not first.keys() & children(server.process.pid).keys()


SLOW = """
import time

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.4)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_a_worker_with_many_calls_to_make_is_not_taken_for_stuck(serve: Serve) -> None:
    """None takes long, all that have come together take longer than the time-out."""
    server = serve(SLOW, "--timeout", "1")
    assert server.get().status == 200
    workers = children(server.process.pid).keys()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(9)]
        for slow in (b"/", b"/slow"):  # short calls are put off until all is read that has come
            for client in clients:
                client.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % slow)
            for client in clients:
                assert client.response().content == b"ok"
    assert "stuck" not in server.log
    assert children(server.process.pid).keys() == workers


def test_sigstop_of_the_whole_server_for_longer_than_timeout_kills_nobody(serve: Serve) -> None:
    server = serve(GATE, "--timeout", "1")
    gate(server.folder)
    assert server.get().status == 200
    [worker] = children(server.process.pid)
    with server.connect() as client:
        client.send(HANG)
        called(server.folder)
        for pid in (worker, server.process.pid):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3.5)  # the time itself is under test
        for pid in (server.process.pid, worker):
            os.kill(pid, signal.SIGCONT)
        # Longer than the master takes to look again, shorter than the time-out.
        assert client.silent(0.9)
        with (server.folder / "gate").open("w"):
            pass
        assert client.response().content == b"ok"
    assert "stuck" not in server.log
    assert children(server.process.pid).keys() == {worker}
