"""Descriptors, processes, memory and disk run out, one at a time."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.limits.conftest import LAUNCHER, Limited
from tests.server.helpers import serving, wait_for
from tests.server.processes import children, processor_seconds, resident

HOARD = """
import os
hoard = []

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hoard":
        while True:
            hoard.append(os.open(os.devnull, os.O_RDONLY))
    if path == "/more":
        while True:
            os.dup(hoard[0])
    if path == "/give":
        while hoard:
            os.close(hoard.pop())
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
ASK = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"


def test_emfile_of_the_app_is_a_500_of_that_request_and_nothing_else(limited: Limited) -> None:
    server = limited(HOARD, nofile=256)
    with server.connect() as other, server.connect() as greedy:
        assert other.send(ASK % b"/").response().status == 200
        assert greedy.send(ASK % b"/hoard").response().status == 500
        [worker] = children(server.process.pid)
        # Not one descriptor is left to the app, neither now nor when the numbers are reported.
        before = processor_seconds(worker)
        assert other.send(ASK % b"/").response().status == 200
        for _ in range(15):
            assert server.get("/").status == 200
            time.sleep(0.1)  # more than one turn of the timers altogether
        assert processor_seconds(worker) - before < 0.5
        assert server.get("/give").status == 200
    assert children(server.process.pid).keys() == {worker}
    assert server.log.count("Traceback") == 1
    assert "Too many open files" in server.log
    assert server.get("/").status == 200


def test_emfile_at_accept_does_not_spin(limited: Limited) -> None:
    """The app holds all, and so does a client in the place of the reserve: nobody can come in."""
    server = limited(HOARD, nofile=64)
    with server.connect() as holder:
        assert holder.send(ASK % b"/").response().status == 200
        assert holder.send(ASK % b"/hoard").response().status == 500
        holder.send(b"GET / HTTP/1.1\r\n")  # under way, so that it is not idle
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(server.connect()) for _ in range(20)]
            for client in waiting:
                client.send(b"GET / HTTP/1.1\r\n")
            [worker] = children(server.process.pid)
            before = processor_seconds(worker)
            time.sleep(1)  # the time itself is under test
            assert processor_seconds(worker) - before < 0.3
        assert server.get("/").status == 200
    assert children(server.process.pid).keys() == {worker}


def highest_nofile() -> int:
    """2^20, or as near to it as this machine lets us come."""
    million = 1 << 20
    if not subprocess.run(
        ["prlimit", f"--nofile={million}:{million}", "true"], check=False
    ).returncode:
        return million
    return min(million, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def test_nofile_of_a_million_changes_neither_memory_nor_the_time_to_start(tmp_path: Path) -> None:
    most = highest_nofile()
    used = []
    for number, nofile in enumerate((256, most)):
        with contextlib.ExitStack() as stack:
            folder = tmp_path / str(number)
            folder.mkdir()
            launcher = ("prlimit", f"--nofile={nofile}:{nofile}")
            server = stack.enter_context(serving(folder, launcher=launcher))
            assert server.get().status == 200
            [worker] = children(server.process.pid)
            assert f"nofile {nofile};" in server.log
            pids = server.process.pid, worker
            used.append([(resident(pid), processor_seconds(pid)) for pid in pids])
    for (memory, seconds), (memory_at_most, seconds_at_most) in zip(*used, strict=True):
        assert memory_at_most - memory < 512
        assert seconds_at_most - seconds < 0.2


PIDS = """
import os

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
"""


@contextlib.contextmanager
def processes_of(uid: int, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many processes that ``uid`` has besides the server's."""
    command = (sys.executable, "-I", "-S", LAUNCHER, "{}", str(uid), "/bin/sleep", "60")
    others = [subprocess.Popen(command) for _ in range(count)]
    wait_for(
        lambda: all(Path(f"/proc/{other.pid}/comm").read_text() == "sleep\n" for other in others),
        "the others",
    )
    try:
        yield others
    finally:
        end(others)


def end(others: list[subprocess.Popen[bytes]]) -> None:
    for other in others:
        other.kill()
        other.wait(60)


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_eagain_at_fork_goes_on_with_the_workers_there_are(
    limited: Limited, a_uid: int, options: tuple[str, ...]
) -> None:
    with processes_of(a_uid, 10) as others:
        # The master, and with --preload the zygote, count too; and a fork of a fork for a moment.
        nproc = 14 + len(options)
        server = limited(PIDS, "--workers", "8", *options, uid=a_uid, nproc=nproc)
        assert server.get().status == 200
        server.wait_for_log("cannot fork a worker: Resource temporarily unavailable; retrying in")
        master = server.process.pid
        wait_for(lambda: len(children(master)) == 3, "as many as can be had")
        most = children(master)
        time.sleep(1.5)  # several tries
        assert server.log.count("cannot fork") == 1
        assert children(master).keys() == most.keys()
        assert processor_seconds(master) < 1
        end(others)
        wait_for(lambda: len(children(master)) == 8 + len(options), "all eight, by a later try")
        assert server.get().status == 200


THREADS = """
import threading

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%d" % threading.active_count()]
"""


def test_threads_that_cannot_be_had_are_done_without(limited: Limited, a_uid: int) -> None:
    with processes_of(a_uid, 10) as others:
        server = limited(THREADS, "--threads", "8", uid=a_uid, nproc=15)
        wait_for(lambda: server.get().text == "4", "as many as can be had")
        assert {server.get().text for _ in range(20)} == {"4"}
        server.wait_for_log("can't start new thread: continuing with 3 of 8 threads")
        assert server.log.count("can't start") == 1
        end(others)
        wait_for(lambda: server.get().text == "9", "all of them, by a later try")


def test_a_full_disk_refuses_what_needs_it_and_nothing_else(limited: Limited) -> None:
    server = limited(PIDS, "--spool", "none", "--body-memory", "1000")
    with server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
        assert client.response().status == 413
    assert server.get().status == 200
