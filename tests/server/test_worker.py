"""``onegate.worker.worker``: it asks to be replaced, outlives its master, and what views raise."""

from __future__ import annotations

import contextlib
import json
import operator
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, Client, serving, wait_for
from tests.server.loads import ECHO, both, under_load
from tests.server.ports import free_port
from tests.server.processes import children, descriptors, running, state
from tests.server.sources import GATE, HANG, PID, called, gate

if TYPE_CHECKING:
    from tests.server.conftest import Serve

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"

# ── retiring ──────────────────────────────────────────────────────────────────────────────────────

GROWS = """
import os
kept = []

def app(environ, start_response):
    if environ["PATH_INFO"] == "/grow":
        kept.append(bytearray(b"x" * (80 << 20)))
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
"""


def test_max_worker_lifetime_replaces_a_worker(serve: Serve) -> None:
    server = serve(GROWS, "--max-worker-lifetime", "1")
    first = server.get().content
    server.wait_for_log("worker will be replaced: it has reached --max-worker-lifetime")
    wait_for(lambda: server.get().content != first, "another worker")


LARGE = "ballast = b'x' * (60 << 20)\n" + PID


def test_a_worker_that_has_answered_nothing_is_not_too_large(serve: Serve) -> None:
    """The application is: a worker in its place would be so, too."""
    port = free_port()
    server = serve(LARGE, "--max-worker-memory", "40M", "--status", f"127.0.0.1:{port}")

    def worker() -> dict[str, float]:
        """What it reports; of no size as long as there is none."""
        with Client(socket.create_connection(("127.0.0.1", port), DEADLINE)) as client:
            response = client.send(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n").response()
        workers: list[dict[str, float]] = json.loads(response.content)["workers"]
        return workers[0] if workers else {"resident_bytes": 0}

    wait_for(lambda: worker()["resident_bytes"] > 40 << 20, "its size")
    first = worker()["pid"]
    seen = [worker()["seconds_since_beat"]]

    def beats() -> bool:
        seen.append(worker()["seconds_since_beat"])
        return sum(map(operator.lt, seen[1:], seen)) >= 3

    wait_for(beats, "three beats, with each of which it looks at itself")
    assert worker()["pid"] == first
    assert "will be replaced" not in server.log


def test_a_limit_below_what_the_application_needs_is_no_storm_of_workers(serve: Serve) -> None:
    server = serve(LARGE, "--max-worker-memory", "40M")
    pids: list[str] = []
    said = r"worker (\d+) uses \d+ MiB after \d+ s: --max-worker-memory \(40 MiB\) is too low"

    def four() -> bool:
        pids.append(server.get().text)
        return len(re.findall(said, server.log)) >= 3

    wait_for(four, "three replacements", 60)
    waits = re.findall(r"replacing it in (\d+) s", server.log)
    assert waits[:3] == ["1", "2", "4"]
    assert len(set(pids)) <= 3, "each was kept for as long as was said"


def test_max_worker_memory_replaces_a_worker(serve: Serve) -> None:
    server = serve(GROWS, "--max-worker-memory", "60M")
    first = server.get("/grow").content
    server.wait_for_log(r"worker will be replaced: it uses \d+ MiB of memory")
    wait_for(lambda: server.get().content != first, "another worker")
    assert server.log.count("will be replaced") == 1


@both
def test_max_requests_100_loses_none_of_8_clients(tmp_path: Path, keep_alive: bool) -> None:
    with serving(tmp_path, ECHO, "--workers", "2", "--max-requests", "100") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        first = children(server.process.pid)
        with under_load(server, keep_alive=keep_alive) as load:

            def replaced() -> bool:
                return server.log.count("will be replaced") >= 8

            wait_for(replaced, "eight replacements")
            load.progress()
        wait_for(
            lambda: not first.keys() & children(server.process.pid).keys(), "the first ones' end"
        )
    assert load.lost == []
    assert load.refused == 0


# ── held up ───────────────────────────────────────────────────────────────────────────────────────

HELD_UP = (
    """

# Seconds that a request may be on the way while places are wanted; nothing shortens them.
from onegate.worker import evictor
evictor.PATIENCE = evictor._LEAST = evictor._WHILE_MOVING = 2.0
"""
    + ECHO
)


@pytest.mark.parametrize("new", [True, False], ids=["new", "kept"])
@pytest.mark.parametrize("places", ["1000", "4"], ids=["room", "shortage"])
def test_what_came_while_a_worker_did_not_run_is_read_before_silence_is_judged(
    serve: Serve, new: bool, places: str
) -> None:
    """It is suspended for longer than any client may be silent, and no client is."""
    options = ("--worker-connections", places, "--keep-alive", "2", "--head-timeout", "2")
    server = serve(HELD_UP, *options)
    assert server.get("/").text == "/"
    [worker] = children(server.process.pid)
    with contextlib.ExitStack() as stack:
        before = descriptors(worker)
        clients = [stack.enter_context(server.connect()) for _ in range(4)]
        if new:
            wait_for(lambda: descriptors(worker) == before + 4, "all are in")
        else:
            for number, client in enumerate(clients):
                assert client.send(GET % number).response().text == f"/{number}"
        os.kill(worker, signal.SIGSTOP)
        wait_for(lambda: state(worker) == "T", "its stop")
        waiting = [stack.enter_context(server.connect()) for _ in range(places == "4")]
        for number, client in enumerate(clients):
            client.send(GET % number)
        time.sleep(2.5)  # the time itself is under test
        os.kill(worker, signal.SIGCONT)
        for number, client in enumerate(clients):
            assert client.response().text == f"/{number}"
        for client in waiting:
            assert client.send(GET % 9).response().text == "/9"


# ── without a master ──────────────────────────────────────────────────────────────────────────────


def test_workers_end_when_the_master_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path, GROWS, "--workers", "2") as server:
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        workers = children(server.process.pid)
        assert server.get().status == 200
        server.kill()
        wait_for(lambda: not any(running(pid) for pid in workers), "end of the workers")


def test_orphaned_workers_finish_what_they_have_begun(tmp_path: Path) -> None:
    with serving(tmp_path, GATE) as server:
        gate(tmp_path)
        workers = children(server.process.pid)
        with server.connect() as client:
            client.send(HANG)
            called(tmp_path)
            workers = children(server.process.pid)
            server.kill()
            with (tmp_path / "gate").open("w"):
                pass
            assert client.response().content == b"ok"
        wait_for(lambda: not any(running(pid) for pid in workers), "end of the workers")


# ── views that exit ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [(), ("--threads", "2")], ids=["plain", "threads"])
@pytest.mark.parametrize("ends", ["sys.exit(3)", "raise KeyboardInterrupt", "raise GeneratorExit"])
def test_a_view_that_exits_ends_neither_worker_nor_server(
    serve: Serve, ends: str, options: tuple[str, ...]
) -> None:
    server = serve(
        f"""
import os, sys

def app(environ, start_response):
    if environ["PATH_INFO"] == "/exit":
        {ends}
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
""",
        *options,
    )
    before = server.get().content
    assert server.get("/exit").status == 500
    assert server.get().content == before
