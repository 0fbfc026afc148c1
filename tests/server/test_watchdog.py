"""``onegate.master.watchdog``: who is stuck, and who is not."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from onegate.master.process_table import Role
from onegate.master.watchdog import Watchdog

from tests.server.helpers import wait_for
from tests.server.masters import FakeSpawner
from tests.server.processes import children
from tests.server.sources import ASK, GATE, HANG, called, gate

if TYPE_CHECKING:
    from tests.server.conftest import MakeState, Serve


def test_timeout_kills_a_worker_that_is_stuck_and_shows_where(serve: Serve) -> None:
    server = serve(GATE, "--timeout", "1")
    gate(server.folder)
    first = children(server.process.pid)
    with server.connect() as client, server.connect() as other:
        client.send(HANG)
        called(server.folder)
        first = children(server.process.pid)
        other.send(ASK)
        server.wait_for_log(r"worker \d+ has been stuck in one call for \d s; killing it")
        assert client.closed()
        assert other.response().content == b"ok"
    # Of faulthandler, written by the worker itself.
    server.wait_for_log(r'served.py", line 8 in app')
    wait_for(lambda: not first.keys() & children(server.process.pid).keys(), "its end")


STUCK = """
import re, time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path != "/":
        with open("called", "a") as file:
            file.write("x")
    if path == "/waits":
        time.sleep(1000)
    if path == "/counts":
        re.match("(a+)+$", "a" * 1000 + "b")  # in C, with the interpreter's lock
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
SINCE = r"started \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}"


@pytest.mark.parametrize("path", ["/waits", "/counts"])
def test_the_request_that_is_stuck_is_named_where_the_log_is(serve: Serve, path: str) -> None:
    """Method, target, client, since when; and the stack there too, after a rotation of the log."""
    server = serve(STUCK, "--timeout", "1", "--error-logfile", "log")
    log = server.folder / "log"
    assert server.get("/").status == 200
    log.rename(server.folder / "log.1")
    server.process.send_signal(signal.SIGUSR1)
    [worker] = children(server.process.pid)
    files = Path(f"/proc/{worker}/fd")
    wait_for(lambda: log in [each.resolve() for each in files.iterdir()], "the new file")
    with server.connect() as client:
        fields = "X-Forwarded-For: 192.0.2.7"
        client.send(f"GET {path}?a=b HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n".encode())
        wait_for(lambda: 'served.py", line ' in log.read_text(), "the stack")
        assert client.closed()
    told = log.read_text()
    assert re.search(r"worker \d+ has been stuck in one call for \d s; killing it", told)
    name = re.escape(f"stuck request 'GET {path}?a=b HTTP/1.1' from 192.0.2.7, ")
    assert re.search(rf"ERROR worker \d+: {name}{SINCE}\n", told)
    assert told.count(" from 192.0.2.7") == 1
    assert "served.py" not in server.log


def test_each_request_that_is_stuck_is_named_and_no_other(serve: Serve) -> None:
    server = serve(STUCK, "--timeout", "2", "--threads", "4")
    with contextlib.ExitStack() as stack:
        for number in (1, 2):
            client = stack.enter_context(server.connect())
            client.send(b"GET /waits?%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        called = server.folder / "called"
        wait_for(lambda: called.exists() and called.read_text() == "xx", "two calls")
        while "been stuck" not in server.log:
            with contextlib.suppress(OSError, EOFError, AssertionError):
                server.get("/")
        for number in (1, 2):
            server.wait_for_log(
                rf"ERROR worker \d+: stuck request 'GET /waits\?{number} HTTP/1.1' "
                rf"from 127.0.0.1, {SINCE}"
            )
        server.wait_for_log("was killed: it was stuck")
    assert "'GET / HTTP/1.1'" not in server.log


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
    server = serve(SLOW, "--timeout", "2")
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
    server = serve(GATE, "--timeout", "4")
    gate(server.folder)
    assert server.get().status == 200
    [worker] = children(server.process.pid)
    with server.connect() as client:
        client.send(HANG)
        called(server.folder)
        for pid in (worker, server.process.pid):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)  # the time itself is under test
        for pid in (server.process.pid, worker):
            os.kill(pid, signal.SIGCONT)
        # Longer than the master takes to look again, much shorter than the time-out.
        assert client.silent(1.2)
        with (server.folder / "gate").open("w"):
            pass
        assert client.response().content == b"ok"
    assert "stuck" not in server.log
    assert children(server.process.pid).keys() == {worker}


# ── zygotes ──────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """The time goes by when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_a_zygote_has_ten_seconds_of_which_those_do_not_count_when_we_did_not_run(
    make_state: MakeState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(monkeypatch)
    state = make_state(preload=True)
    spawner = FakeSpawner(state)
    watchdog = Watchdog(state)
    generation = state.generations.present
    zygote = spawner.spawn(Role.ZYGOTE, generation, lambda _: None)
    spawner.spawn(Role.WORKER, generation, lambda _: None, state.scoreboard.take())
    clock.now += 20  # suspended
    for _ in range(6):
        watchdog.turn()
        watchdog.check_zygotes()
        assert not zygote.terminating
        clock.now += 2
    watchdog.turn()
    watchdog.check_zygotes()
    assert zygote.terminating
    assert zygote.kill_reason == "did not respond"
    assert not state.processes.expected
    assert caplog.messages == [f"{zygote} has not responded for 12 s; killing it"]
    watchdog.check_zygotes()
    assert len(caplog.messages) == 1
