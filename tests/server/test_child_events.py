"""``onegate.master.child_events``: what follows when children end, and what they died of."""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from onegate.master import child_events, worker_pool
from onegate.master.child_events import ChildEvents
from onegate.master.reload import Reload
from onegate.master.shutdown import Shutdown
from onegate.master.upgrade import Upgrade
from onegate.master.worker_pool import WorkerPool
from onegate.process.scoreboard import Field, Total

from tests.server.helpers import DEADLINE, HELLO, Server, run_to_end, serving, wait_for, write_app
from tests.server.loads import both, under_load
from tests.server.masters import FakeSpawner
from tests.server.processes import children
from tests.server.sources import ASK, PID

if TYPE_CHECKING:
    from onegate.config.settings import Settings

    from tests.server.conftest import MakeState, Serve
    from tests.server.masters import ClosableState


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


@both
def test_kill_9_of_a_worker_loses_at_most_one_request_of_each_of_8_clients(
    load_server: Server, keep_alive: bool
) -> None:
    with under_load(load_server, keep_alive=keep_alive) as load:
        victim = min(children(load_server.process.pid))
        os.kill(victim, signal.SIGKILL)
        load_server.wait_for_log(rf"{victim} was killed by SIGKILL \(not sent by the master\)")
        load.progress()
    assert load.refused == 0
    clients = [each.split(",")[0] for each in load.lost]
    assert len(clients) == len(set(clients)), load.lost


def test_kill_9_loses_what_the_worker_was_answering_and_not_what_is_queued(serve: Serve) -> None:
    server = serve(
        """
import os
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    if environ["PATH_INFO"] == "/hang":
        Path("pid").write_text(str(os.getpid()))
        Path("gate").read_bytes()
    return [b"ok"]
"""
    )
    os.mkfifo(server.folder / "gate")
    pid = server.folder / "pid"
    with server.connect() as hangs, server.connect() as queued:
        hangs.send(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: pid.exists() and pid.read_text(), "the call")
        others = [server.connect().send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(5)]
        os.kill(int(pid.read_text()), signal.SIGKILL)
        assert hangs.closed()
        for client in (*others, queued.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")):
            with client:
                assert client.response().content == b"ok"


def test_an_app_that_never_loads_ends_the_server_with_the_traceback(tmp_path: Path) -> None:
    write_app(tmp_path, "raise RuntimeError('no such luck')")
    ended = run_to_end(tmp_path, "served:app", "--bind", "127.0.0.1:0")
    assert ended.returncode == 1
    assert "RuntimeError: no such luck" in ended.stderr
    assert 'served.py", line 1' in ended.stderr


@pytest.mark.parametrize("options", [(), ("--preload",)])
def test_one_that_is_killed_while_it_loads_ends_the_server_with_the_reason(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with serving(tmp_path, "import signal\nsignal.pause()", *options) as server:
        wait_for(lambda: children(server.process.pid), "a child")
        [child] = children(server.process.pid)
        os.kill(child, signal.SIGKILL)
        server.wait_for_log(
            rf"{child} was killed by SIGKILL \(not sent by the master\) before it was ready"
        )
        assert server.process.wait(DEADLINE) == 1


def test_an_app_that_breaks_later_is_no_fork_bomb(serve: Serve) -> None:
    server = serve()
    assert server.get().status == 200
    write_app(server.folder, "raise RuntimeError('no such luck')")
    [worker] = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log(r"retrying in 1\.6 s")
    waits = [float(wait) for wait in re.findall(r"retrying in ([0-9.]+) s", server.log)]
    assert waits[-4:] == [0.2, 0.4, 0.8, 1.6]
    with server.connect() as client:
        client.send(ASK)
        write_app(server.folder, HELLO)
        assert client.response().status == 200


# ── workers of a zygote ──────────────────────────────────────────────────────────────────────────


class Parts(NamedTuple):
    state: ClosableState
    spawner: FakeSpawner
    shutdown: Shutdown
    child_events: ChildEvents


@pytest.fixture
def expecting(make_state: MakeState, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """A master, by its parts, that expects one worker of a zygote and has served before."""
    monkeypatch.setattr(worker_pool, "Spawner", FakeSpawner)
    state = make_state(preload=True)
    pool = WorkerPool(state)
    reload, shutdown = Reload(state, pool, never), Shutdown(state)
    upgrade = Upgrade(state, pool, reload, shutdown)
    made = ChildEvents(state, pool, reload, shutdown, upgrade)
    spawner = pool._spawner
    assert isinstance(spawner, FakeSpawner)
    pool.fill()
    [zygote] = state.processes
    state.report(zygote, b"+")
    made.read_reports(zygote)
    pool.fill()
    assert len(state.processes.expected) == 1
    return Parts(state, spawner, shutdown, made)


def never() -> Settings:
    raise AssertionError("nothing is read again")


def test_one_that_was_expected_reports_its_pid(expecting: Parts) -> None:
    state, spawner, _, made = expecting
    [worker] = state.processes.expected
    pid = spawner.announce(worker)
    made.read_reports(worker)
    assert state.processes.get(pid) is worker
    assert not worker.terminating


def test_one_that_has_ended_before_its_pid_was_read_is_no_orphan(expecting: Parts) -> None:
    state, _, _, made = expecting
    importlib.import_module("onegate.master.zygote")  # with which all children are asked about
    [worker] = state.processes.expected
    pid = os.fork()
    if not pid:
        os._exit(7)
    state.report(worker, b"=%d;+" % pid)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    made.reap()
    assert state.scoreboard.totals[Total.CRASHED] == 1
    assert not state.processes.expected
    assert state.processes.get(pid) is None


@pytest.mark.parametrize(
    ("last_words", "reason"),
    [(b"!11;", "Resource temporarily unavailable"), (b"", "the zygote has ended")],
)
def test_one_that_does_not_come(
    expecting: Parts, caplog: pytest.LogCaptureFixture, last_words: bytes, reason: str
) -> None:
    state, _, _, made = expecting
    [worker] = state.processes.expected
    state.report(worker, last_words)
    state.hang_up(worker)
    made.read_reports(worker)
    assert not state.processes.expected
    assert f"cannot fork a worker: {reason}; retrying in" in caplog.text


@pytest.mark.parametrize("at_once", [True, False])
def test_one_that_comes_during_the_end_ends_too(expecting: Parts, at_once: bool) -> None:
    state, spawner, shutdown, made = expecting
    if at_once:
        shutdown.stop_at_once()
    else:
        shutdown.stop_gracefully()
    [worker] = state.processes.expected
    spawner.announce(worker)
    made.read_reports(worker)
    assert worker.terminating
    assert (worker.kill_at < time.monotonic() + 2) == at_once
    assert worker.slot is not None
    assert worker.slot[Field.STOPPING]


def test_one_that_does_not_come_during_the_end_is_not_missed(
    expecting: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    state, _, shutdown, made = expecting
    shutdown.stop_gracefully()
    [worker] = state.processes.expected
    state.hang_up(worker)
    made.read_reports(worker)
    assert not state.processes.expected
    assert "cannot fork" not in caplog.text


# ── waitpid(2) ────────────────────────────────────────────────────────────────────────────────────

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
    write_app(tmp_path, ORPHANS)
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
        server.wait_for_log("USR2 ignored: PID 1 cannot be replaced")
        assert server.get().content == b"ok"
        os.kill(master, signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (0, "exited with status 0"),
        (3, "exited with status 3"),
        (-signal.SIGSEGV, "was killed by SIGSEGV"),
        (-signal.SIGKILL, "was killed by SIGKILL (not sent by the master)"),
    ],
)
def test_what_a_child_died_of(code: int, cause: str) -> None:
    assert child_events.DeathCauses().of(code) == cause


def test_want_of_memory_is_told_from_other_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([5, 6, 6, 7, 8])
    monkeypatch.setattr(child_events, "oom_kills", lambda: next(counts))
    causes = child_events.DeathCauses()
    assert causes.of(-signal.SIGKILL) == "was killed by the kernel (out of memory)"
    assert causes.of(-signal.SIGKILL) == "was killed by SIGKILL (not sent by the master)"
    assert causes.of(-signal.SIGABRT) == "was killed by SIGABRT"
    assert causes.of(-signal.SIGKILL) == "was killed by the kernel (out of memory)"
