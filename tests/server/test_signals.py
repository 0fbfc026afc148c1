"""Signals, ends and deaths, as the operator meets them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, HELLO, Server, serving, wait_for
from tests.server.processes import children, processor_seconds, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GATE = """
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    if environ["PATH_INFO"] == "/hang":
        Path("called").touch()
        Path("gate").read_bytes()
    return [b"ok"]
"""
"""``/hang`` does not return before ``gate`` was opened for writing."""
HANG = b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"


def gate(folder: Path) -> None:
    os.mkfifo(folder / "gate")


def called(folder: Path) -> None:
    wait_for((folder / "called").exists, "the call")


# ── number of workers ────────────────────────────────────────────────────────────────────────────


def test_ttin_and_ttou_change_the_number_of_workers(serve: Serve) -> None:
    server = serve()
    assert server.get().status == 200
    for number, wanted in [
        (signal.SIGTTIN, 2),
        (signal.SIGTTIN, 3),
        (signal.SIGTTOU, 2),
        (signal.SIGTTOU, 1),
    ]:
        server.process.send_signal(number)
        wait_for(lambda: len(children(server.process.pid)) == wanted, f"{wanted} workers")  # noqa: B023 - called in this round
    server.process.send_signal(signal.SIGTTOU)
    server.process.send_signal(signal.SIGUSR1)  # comes after it
    assert server.get().status == 200
    assert len(children(server.process.pid)) == 1


def test_winch_ends_the_workers_and_ttin_brings_one_back(serve: Serve) -> None:
    server = serve(HELLO, "--workers", "2")
    wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
    server.process.send_signal(signal.SIGWINCH)
    wait_for(lambda: not children(server.process.pid), "no worker")
    with server.connect() as waits:
        waits.send(ASK)
        assert waits.silent()
        server.process.send_signal(signal.SIGTTIN)
        assert waits.response().status == 200


def test_usr1_reopens_the_logs_of_every_process(tmp_path: Path) -> None:
    options = ("--access-log", "common", "--access-logfile", "access", "--workers", "2")
    with serving(tmp_path, HELLO, *options) as server:
        access = tmp_path / "access"
        assert server.get("/before").status == 200
        wait_for(lambda: "/before" in access.read_text(), "the first line")
        access.rename(tmp_path / "rotated")
        server.process.send_signal(signal.SIGUSR1)
        wait_for(access.exists, "the new file")

        def everybody() -> bool:
            old = (tmp_path / "rotated").read_text()
            for _ in range(10):
                assert server.get("/after").status == 200
            return (tmp_path / "rotated").read_text() == old

        wait_for(everybody, "no more lines in the old file")
        assert "/after" in access.read_text()


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────


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


def test_term_answers_100_who_wait_in_the_queue(serve: Serve) -> None:
    """More than what a worker does in the moment for which it still listens."""
    server = serve(
        GATE.replace("    start_response", "    time.sleep(0.005)\n    start_response", 1).replace(
            "from pathlib", "import time\nfrom pathlib"
        )
    )
    gate(server.folder)
    with server.connect() as first:
        first.send(HANG)
        called(server.folder)
        clients = [server.connect().send(ASK) for _ in range(100)]
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        with (server.folder / "gate").open("w"):
            pass
        for client in (first, *clients):
            with client:
                assert client.response().content == b"ok"
    assert server.process.wait(DEADLINE) == 0


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


def test_int_ends_a_drain_delay(tmp_path: Path) -> None:
    with serving(tmp_path, HELLO, "--drain-delay", "1000") as server:
        assert server.get().status == 200
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        assert server.stop(signal.SIGINT) == 0


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


# ── deaths ───────────────────────────────────────────────────────────────────────────────────────


def test_an_app_that_never_loads_ends_the_server_with_the_traceback(tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text("raise RuntimeError('no such luck')")
    ended = subprocess.run(
        [sys.executable, "-m", "onegate", "served:app", "--bind", "127.0.0.1:0"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 1
    assert "RuntimeError: no such luck" in ended.stderr
    assert 'served.py", line 1' in ended.stderr


def test_an_app_that_breaks_later_is_no_fork_bomb(serve: Serve) -> None:
    server = serve()
    assert server.get().status == 200
    (server.folder / "served.py").write_text("raise RuntimeError('no such luck')")
    [worker] = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log(r"next try in 1\.6 s")
    waits = [float(wait) for wait in re.findall(r"next try in ([0-9.]+) s", server.log)]
    assert waits[-4:] == [0.2, 0.4, 0.8, 1.6]
    with server.connect() as client:
        client.send(ASK)
        (server.folder / "served.py").write_text(HELLO)
        assert client.response().status == 200


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


# ── process 1 ────────────────────────────────────────────────────────────────────────────────────

ORPHANS = """
import os

def app(environ, start_response):
    if not os.fork():
        if not os.fork():
            os._exit(9)
        os._exit(0)
    os.wait()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be process 1 of a namespace")
def test_as_process_1_it_reaps_orphans_and_their_status_counts_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(ORPHANS)
    process = subprocess.Popen(
        [
            *("unshare", "--pid", "--fork", "--kill-child"),
            *(sys.executable, "-m", "onegate", "served:app", "--bind", "127.0.0.1:0"),
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Server(process, tmp_path)
    try:
        server.find_port()
        for _ in range(20):
            assert server.get().content == b"ok"
        [master] = children(process.pid)
        wait_for(lambda: "Z" not in children(master).values(), "no zombie")
        # An orphan may be on its way out still; what stays is the worker.
        wait_for(lambda: len(children(master)) == 1, "one worker alone")
        assert "[1] INFO onegate" in server.log
        assert "ERROR" not in server.log
        assert "WARNING" not in server.log
        os.kill(master, signal.SIGUSR2)
        server.wait_for_log("process 1 cannot be replaced")
        assert server.get().content == b"ok"
        os.kill(master, signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    finally:
        server.kill()


# ── retiring ─────────────────────────────────────────────────────────────────────────────────────

PID = """
import os
kept = []

def app(environ, start_response):
    if environ["PATH_INFO"] == "/grow":
        kept.append(bytearray(b"x" * (80 << 20)))
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
"""


def test_max_worker_lifetime_replaces_a_worker(serve: Serve) -> None:
    server = serve(PID, "--max-worker-lifetime", "1")
    first = server.get().content
    server.wait_for_log("worker is to be replaced: it has served for its lifetime")
    wait_for(lambda: server.get().content != first, "another worker")


def test_max_worker_memory_replaces_a_worker(serve: Serve) -> None:
    server = serve(PID, "--max-worker-memory", "60M")
    first = server.get("/grow").content
    server.wait_for_log(r"worker is to be replaced: it uses \d+ MiB of memory")
    wait_for(lambda: server.get().content != first, "another worker")
    assert server.log.count("is to be replaced") == 1


def test_nobody_spins_when_there_is_nothing_to_do(serve: Serve) -> None:
    server = serve(HELLO, "--preload", "--threads", "2", "--status", "127.0.0.1:0")
    assert server.get().status == 200
    # The worker is the master's child when the process between the two forks has ended.
    wait_for(lambda: len(children(server.process.pid)) == 3, "worker, template, status")
    pids = [server.process.pid, *children(server.process.pid)]
    before = [processor_seconds(pid) for pid in pids]
    time.sleep(1)  # the time itself is under test
    used = [processor_seconds(pid) - then for pid, then in zip(pids, before, strict=True)]
    assert max(used) < 0.2, used
