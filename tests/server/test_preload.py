"""``--preload``: loaded once, shared by all workers, and still loaded anew by HUP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import HELLO, Server, serving, wait_for, write_app
from tests.server.processes import by_age, children, descriptors, running, state

if TYPE_CHECKING:
    from tests.server.conftest import Serve

LARGE = """
import os
from pathlib import Path

with open("loads", "a") as file:
    file.write("x")
data = {number: str(number) for number in range(300_000)}

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
"""


def private(pid: int) -> int:
    """KiB that it shares with nobody."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def workers(server_pid: int, zygote: int) -> set[int]:
    return set(children(server_pid)) - {zygote}


def test_workers_share_the_application(serve: Serve) -> None:
    server = serve(LARGE, "--preload", "--workers", "3")
    assert server.get().status == 200
    master = server.process.pid
    wait_for(lambda: len(children(master)) == 4, "a zygote and three workers")
    zygote = by_age(children(master))[0]
    assert (server.folder / "loads").read_text() == "x"
    assert private(master) < 25_000, "the master has loaded it"
    for pid in workers(master, zygote):
        assert private(pid) < 15_000, "a copy of its own"


def test_a_dead_zygote_is_made_anew_and_workers_do_not_care(serve: Serve) -> None:
    server = serve(LARGE, "--preload", "--workers", "2")
    assert server.get().status == 200
    master = server.process.pid
    wait_for(lambda: len(children(master)) == 3, "a zygote and two workers")
    zygote = by_age(children(master))[0]
    there = workers(master, zygote)
    os.kill(zygote, signal.SIGKILL)
    server.wait_for_log(f"zygote {zygote} was killed by SIGKILL")
    wait_for(lambda: len(children(master)) == 3, "another zygote")
    assert there < children(master).keys()
    victim = min(there)
    os.kill(victim, signal.SIGKILL)
    wait_for(
        lambda: len(children(master)) == 3 and victim not in children(master), "another worker"
    )
    wait_for(lambda: (server.folder / "loads").read_text() == "xx", "the second load")
    assert server.get().status == 200


def test_a_dead_zygote_does_not_spoil_a_reload(serve: Serve) -> None:
    """The old one dies while the new generation is on trial."""
    server = serve(LARGE, "--preload")
    assert server.get().status == 200
    master = server.process.pid
    wait_for(lambda: len(children(master)) == 2, "a zygote and a worker")
    before = set(children(master))
    # Whoever loads it waits: the new one, and what replaces the old one.
    gate = "import os, time\nwhile not os.path.exists('gate'):\n    time.sleep(0.01)\n"
    write_app(server.folder, gate + LARGE)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(children(master)) == 3, "a zygote on trial")
    os.kill(by_age(before)[0], signal.SIGKILL)
    server.wait_for_log("was killed by SIGKILL")
    (server.folder / "gate").touch()
    wait_for(lambda: not before & children(master).keys(), "the old ones' end")
    assert server.get().status == 200


def test_a_zygote_that_hangs_holds_up_nobody_and_is_replaced(tmp_path: Path) -> None:
    """The master goes on while it waits: for signals, and with the rest of its work."""
    (tmp_path / "hooks.py").write_text(
        "def pre_fork(*_):\n    with open('requested', 'a') as file:\n        file.write('x')\n"
    )
    options = ("--preload", "--error-logfile", "log", "--hooks", "hooks.py")
    with serving(tmp_path, LARGE, *options) as server:
        log, rotated = tmp_path / "log", tmp_path / "rotated"
        assert server.get().status == 200
        master = server.process.pid
        wait_for(lambda: len(children(master)) == 2, "a zygote and a worker")
        zygote, worker = by_age(children(master))
        os.kill(zygote, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: (tmp_path / "requested").read_text() == "xx", "another worker's request")
        log.rename(rotated)
        server.process.send_signal(signal.SIGUSR1)
        wait_for(log.exists, "the new log file")
        # It was opened while the master waited, and not when that was over.
        assert "not answered" not in rotated.read_text()
        assert "cannot fork" not in rotated.read_text()
        assert state(zygote) == "T"
        wait_for(
            lambda: f"zygote {zygote} has not responded for" in log.read_text(), "its kill", 30
        )
        assert server.get().status == 200
        wait_for(lambda: len(children(master)) == 2, "another zygote, and another worker")
        assert not {zygote, worker} & children(master).keys()
        assert f"zygote {zygote} was killed: it did not respond" in log.read_text()
        assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_zygote_that_hangs_does_not_hold_up_the_end(serve: Serve, number: signal.Signals) -> None:
    server = serve(LARGE, "--preload", "--graceful-timeout", "1")
    assert server.get().status == 200
    wait_for(lambda: len(children(server.process.pid)) == 2, "a zygote and a worker")
    zygote, worker = by_age(children(server.process.pid))
    os.kill(zygote, signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log(f"{worker} was killed by SIGKILL")
    assert server.stop(number) == 0
    assert f"zygote {zygote} was killed: it did not end in time" in server.log
    assert not running(zygote)


def test_workers_hold_no_descriptors_of_the_zygote(serve: Serve) -> None:
    """Nor one of ctypes, which libffi leaves open since 3.5, and no module of it."""
    source = LARGE.replace("os.getpid()]", "os.getpid() + b' %d' % ('_ctypes' in sys.modules)]")
    source = source.replace("import os", "import os, sys", 1)
    plain = serve(source)
    preloaded = serve(source, "--preload")
    counts = []
    for server in (plain, preloaded):
        pid, ctypes = map(int, server.get().content.split())
        counts.append(descriptors(pid))
        assert not ctypes
    assert counts[1] <= counts[0], counts


def test_a_reload_that_turns_it_on(serve: Serve, tmp_path: Path) -> None:
    """Workers are children of the master then, too, and one that dies is replaced."""
    config = tmp_path / "onegate.toml"
    config.touch()
    server = serve(LARGE, "--config", str(config))
    config.write_text("preload = true")
    master = server.process.pid
    before = set(children(master))
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: not before & children(master).keys(), "the old one's end")
    wait_for(lambda: len(children(master)) == 2, "a zygote and a worker")
    worker = int(server.get().content)
    assert worker in children(master)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log(f"worker {worker} was killed by SIGKILL")
    assert server.get().status == 200


def test_the_zygote_ends_with_the_master(serve: Serve) -> None:
    server = serve(LARGE, "--preload", "--workers", "2", "--status", "127.0.0.1:0")
    assert server.get().status == 200
    wait_for(lambda: len(children(server.process.pid)) == 4, "all")
    there = children(server.process.pid)
    server.kill()
    wait_for(lambda: not any(running(pid) for pid in there), "their end")


@pytest.mark.parametrize("form", ["script", "code", "standard input"])
def test_a_program_that_calls_main_is_not_run_twice(form: str, tmp_path: Path) -> None:
    """What it has read until then is gone, and so is one that came by standard input."""
    write_app(tmp_path, HELLO)
    program = """
import sys
with open("begun", "a") as file:
    file.write("x")
sys.argv = ["prog", "served:app", "--bind", "127.0.0.1:0", "--preload"]
from onegate.cli import main
sys.exit(main())
"""
    (tmp_path / "program.py").write_text(program)
    arguments = {"script": ["program.py"], "code": ["-c", program], "standard input": ["-"]}[form]
    with (tmp_path / "program.py").open() as given:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=tmp_path,
            stdin=given if form == "standard input" else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    server = Server(process, tmp_path)
    try:
        server.find_port()
        assert server.get().text == "Hello\n"
        assert (tmp_path / "begun").read_text() == "x"
        wait_for(lambda: len(children(process.pid)) == 2, "a zygote and a worker")
        worker = by_age(children(process.pid))[-1]
        os.kill(worker, signal.SIGKILL)  # it is a child of the master in this case, too
        server.wait_for_log(f"worker {worker} was killed by SIGKILL")
        assert server.get().text == "Hello\n"
        assert server.stop() == 0
    finally:
        server.kill()
