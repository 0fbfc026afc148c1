"""HUP: what generations run with. A reload that fails, or cannot begin, has changed nothing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from tests.server.helpers import DEADLINE, HELLO, Client, Server, serving, wait_for, write_app
from tests.server.processes import children, descriptors, running
from tests.server.sources import VERSION
from tests.server.test_reload import configured, reloaded, serving_config

SHOWS = """
import json, os
VERSION = {}

def app(environ, start_response):
    umask = os.umask(0)
    os.umask(umask)
    names = "A", "B", "X", "PROBE"
    start_response("200 OK", [])
    return [json.dumps({{
        "version": VERSION, "cwd": os.getcwd(), "umask": umask, "pid": os.getpid(),
        "environ": {{name: os.environ[name] for name in names if name in os.environ}},
        "private": sorted(
            name for name in os.environ
            if name.startswith(("NOTIFY", "LISTEN", "WATCHDOG", "_ONEGATE"))
        ),
    }}).encode()]
"""
plain_and_preload = pytest.mark.parametrize(
    "options", [(), ("--preload",)], ids=["plain", "preload"]
)


def shown(server: Server) -> dict[str, object]:
    return dict(json.loads(server.get().content))


def replaced(server: Server) -> None:
    """Kill all children, the zygote too, and wait for others."""
    before = children(server.process.pid).keys()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not before & children(server.process.pid).keys(), "the end of those that were")


def answers(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        assert Client(sock).send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().status == 200


def reload_failed(server: Server, times: int = 1) -> None:
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.log.count("reload failed") == times, "a reload that failed")


def without_pid(seen: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in seen.items() if name != "pid"}


# ── a reload that fails ───────────────────────────────────────────────────────────────────────────


@plain_and_preload
def test_after_a_reload_that_failed_a_killed_worker_finds_the_old_place(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    for name, source in (("one", SHOWS.format(1)), ("two", "raise RuntimeError('no such luck')")):
        (tmp_path / name).mkdir()
        write_app(tmp_path / name, source)
    # Values that a table of TOML and a list of Python spell differently.
    (tmp_path / "onegate.toml").write_text('chdir = "one"\nenv = { A = "1" }\numask = "027"')
    config = ("--config", "onegate.toml", *options)
    with serving(tmp_path, "raise RuntimeError('not this one')", *config) as server:
        before = shown(server)
        assert before["cwd"] == str(tmp_path / "one")
        assert (before["environ"], before["umask"]) == ({"A": "1"}, 0o027)
        wait_for(lambda: len(children(server.process.pid)) == 1 + len(options), "the first")
        there = children(server.process.pid).keys()
        held = descriptors(server.process.pid)
        (tmp_path / "onegate.toml").write_text(
            'chdir = "two"\nenv = { A = "2", B = "2" }\numask = "077"\nerror_logfile = "its.log"'
        )
        for times in (1, 2):
            reload_failed(server, times)
            wait_for(lambda: children(server.process.pid).keys() == there, "the end of the trial")
            wait_for(lambda: descriptors(server.process.pid) <= held, "what it opened is closed")
        assert "no such luck" in (tmp_path / "two" / "its.log").read_text()
        replaced(server)
        after = shown(server)
        assert after["pid"] != before["pid"]
        assert without_pid(after) == without_pid(before)
        assert Path(f"/proc/{server.process.pid}/cwd").readlink() == tmp_path / "one"
        # What was wrong is put right: all of it holds, and for the next worker too.
        write_app(tmp_path / "two", SHOWS.format(2))
        # A worker forked by a zygote may answer a moment before it is the master's child.
        wait_for(lambda: len(children(server.process.pid)) == len(there), "the replacement")
        reloaded(server)
        for _ in range(2):
            seen = shown(server)
            assert (seen["version"], seen["cwd"]) == (2, str(tmp_path / "two"))
            assert (seen["environ"], seen["umask"]) == ({"A": "2", "B": "2"}, 0o077)
            replaced(server)
        assert "was killed" in (tmp_path / "two" / "its.log").read_text()


def test_a_hooks_file_that_fails_changes_nothing(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks.py"
    hooks.write_text("import os; os.environ['X'] = 'old'")
    with serving(tmp_path, SHOWS.format(1), "--hooks", "hooks.py") as server:
        before = shown(server)
        assert before["environ"] == {"X": "old"}
        for times, last in enumerate(("import sys; sys.exit(7)", "1 / 0", "def ("), 1):
            hooks.write_text(f"import os; os.environ['X'] = 'new'\n{last}")
            reload_failed(server, times)
        hooks.write_text("import os; os.environ['X'] = 'new'")
        write_app(tmp_path, "raise RuntimeError")
        reload_failed(server, 4)
        write_app(tmp_path, SHOWS.format(1))
        replaced(server)
        assert without_pid(shown(server)) == without_pid(before)
        reloaded(server)
        assert shown(server)["environ"] == {"X": "new"}


# ── directories that come and go ──────────────────────────────────────────────────────────────────


def test_the_directory_of_the_start_is_removed(tmp_path: Path) -> None:
    start = tmp_path / "releases" / "1"
    start.mkdir(parents=True)
    current = tmp_path / "current"
    current.mkdir()
    write_app(current, VERSION.format(1))
    with serving(start, HELLO, "--chdir", str(current)) as server:
        assert server.get().text == "1"
        shutil.rmtree(start)
        write_app(current, VERSION.format(2))
        reloaded(server)
        assert server.get().text == "2"


def test_a_directory_that_is_needed_and_is_gone_is_one_line(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    with serving(start, HELLO) as server:
        assert server.get().status == 200
        before = children(server.process.pid).keys()
        shutil.rmtree(start)
        reload_failed(server)
        assert (
            f"has changed: cannot enter {start}, where onegate was started: No such file"
            in server.log
        )
        assert "Traceback" not in server.log
        assert server.get().status == 200
        assert children(server.process.pid).keys() == before


def test_a_link_that_is_turned(tmp_path: Path) -> None:
    for version in (1, 2):
        release = tmp_path / str(version)
        release.mkdir()
        write_app(release, SHOWS.format(version))
    current = tmp_path / "current"
    current.symlink_to("1")
    text = (tmp_path / "1" / "served.py").read_text()
    with serving(current, text, "--bind", "unix:sock", environ={"PWD": str(current)}) as server:
        assert shown(server)["version"] == 1
        current.unlink()
        current.symlink_to("2")
        replaced(server)
        assert shown(server)["version"] == 1, "new code without a reload"
        reloaded(server)
        assert shown(server)["version"] == 2
        # A path that is relative leads to where the release is.
        answers(tmp_path / "2" / "sock")
        assert not (tmp_path / "1" / "sock").exists()
        wait_for(lambda: len(children(server.process.pid)) == 1, "one worker")
    assert not (tmp_path / "2" / "sock").exists()


# ── the environment ───────────────────────────────────────────────────────────────────────────────


@plain_and_preload
def test_what_is_meant_for_the_server_is_never_seen_by_the_application(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        environ = {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "LISTEN_FDS": "0",
            "LISTEN_PID": "1",
            "LISTEN_FDNAMES": "x",
            "WATCHDOG_USEC": "900000000",
            "PROBE": "1",
        }
        with serving(tmp_path, SHOWS.format(1), *options, environ=environ) as server:
            seen = shown(server)
            assert (seen["environ"], seen["private"]) == ({"PROBE": "1"}, [])
            reloaded(server)
            assert shown(server)["private"] == []
            server.process.send_signal(signal.SIGUSR2)
            new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
            try:
                assert server.process.wait(DEADLINE) == 0
                seen = shown(server)
                assert (seen["environ"], seen["private"]) == ({"PROBE": "1"}, [])
                before = children(new).keys()
                os.kill(new, signal.SIGHUP)
                wait_for(lambda: not before & children(new).keys(), "the reload")
                seen = shown(server)
                assert (seen["environ"], seen["private"]) == ({"PROBE": "1"}, [])
            finally:
                os.kill(new, signal.SIGTERM)
                wait_for(lambda: not running(new), "the new master's end")


def test_what_a_hook_has_set_survives(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(
        "import os\ndef on_starting(server): os.environ['X'] = os.environ['A'] + '1'"
    )
    config = tmp_path / "onegate.toml"
    config.write_text('hooks = "hooks.py"\nenv = { A = "1", B = "1" }')
    with serving(tmp_path, SHOWS.format(1), "--config", "onegate.toml") as server:
        assert shown(server)["environ"] == {"A": "1", "B": "1", "X": "11"}
        config.write_text('hooks = "hooks.py"\nenv = { A = "2" }')
        reloaded(server)
        assert shown(server)["environ"] == {"A": "2", "X": "11"}
        reloaded(server)
        assert shown(server)["environ"] == {"A": "2", "X": "11"}


# ── while another generation is on trial ──────────────────────────────────────────────────────────


def on_trial(server: Server, source: str) -> None:
    """Reload onto ``source``, which is not loaded before ``gate`` is opened."""
    if not (server.folder / "gate").exists():
        os.mkfifo(server.folder / "gate")
    before = len(children(server.process.pid))
    write_app(server.folder, "open('gate').read()\n" + source)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(children(server.process.pid)) == before + 1, "one on trial")


def opened(folder: Path) -> None:
    """Open the gate for who waits there; somebody has to."""

    def is_open() -> bool:
        try:
            os.close(os.open(folder / "gate", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    wait_for(is_open, "one that waits at the gate")


@plain_and_preload
def test_a_worker_that_dies_meanwhile_is_replaced(tmp_path: Path, options: tuple[str, ...]) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    write_app(old, SHOWS.format(1))
    write_app(new, "open('gate').read()\n" + SHOWS.format(2))
    os.mkfifo(new / "gate")
    configured(tmp_path, chdir="old")
    with serving(tmp_path, "", "--config", "onegate.toml", *options) as server:
        before = shown(server)
        wait_for(lambda: len(children(server.process.pid)) == 1 + len(options), "the first")
        there = children(server.process.pid).keys()
        configured(tmp_path, chdir="new")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(children(server.process.pid)) == len(there) + 1, "one on trial")
        for pid in there:
            os.kill(pid, signal.SIGKILL)
        seen = shown(server)  # from a new one, while the trial still loads
        assert (seen["version"], seen["cwd"]) == (1, before["cwd"])
        assert seen["pid"] != before["pid"]
        opened(new)
        wait_for(lambda: shown(server)["version"] == 2, "the new one")
        wait_for(lambda: len(children(server.process.pid)) == 1 + len(options), "the new alone")


def test_a_second_reload_that_cannot_begin_leaves_the_first_on_trial(tmp_path: Path) -> None:
    configured(tmp_path, workers=1)
    with serving(tmp_path, VERSION.format(1), "--config", "onegate.toml") as server:
        assert server.get().text == "1"
        on_trial(server, VERSION.format(2))
        configured(tmp_path, no_such_setting=1)
        reload_failed(server)
        opened(tmp_path)
        wait_for(lambda: server.get().text == "2", "the first")


def test_a_second_reload_replaces_the_first_on_trial(tmp_path: Path) -> None:
    with serving(tmp_path, VERSION.format(1)) as server:
        assert server.get().text == "1"
        held = descriptors(server.process.pid)
        for _ in range(2):
            on_trial(server, VERSION.format(2))
            write_app(tmp_path, VERSION.format(3))
            reloaded(server)
            assert server.get().text == "3"
            wait_for(lambda: len(children(server.process.pid)) == 1, "one worker")
            wait_for(lambda: descriptors(server.process.pid) <= held, "what it opened is closed")


HOLDS = """
def app(environ, start_response):
    if environ["PATH_INFO"] != "/":
        open(environ["PATH_INFO"][1:]).read()
    start_response("200 OK", [("Content-Length", "1")])
    return [b"{}"]
"""


def test_a_trial_that_serves_before_it_is_heard_finishes_what_it_has(tmp_path: Path) -> None:
    """The master is held up by what it reads for a second reload meanwhile."""
    (tmp_path / "hooks.py").write_text("def worker_int(worker): open('interrupted', 'w')")
    configured(tmp_path, hooks="hooks.py")
    for name in ("old", "trial"):
        os.mkfifo(tmp_path / name)
    with serving(tmp_path, HOLDS.format(1), "--config", "onegate.toml") as server:
        assert server.get().text == "1"
        with server.connect() as old:
            old.send(b"GET /old HTTP/1.1\r\nHost: a\r\n\r\n")
            calls = [held(tmp_path / "old")]
            on_trial(server, HOLDS.format(2))
            (tmp_path / "onegate.toml").unlink()
            os.mkfifo(tmp_path / "onegate.toml")
            server.process.send_signal(signal.SIGHUP)
            config = held(tmp_path / "onegate.toml")
            opened(tmp_path)
            with server.connect() as trial:
                trial.send(b"GET /trial HTTP/1.1\r\nHost: a\r\n\r\n")
                calls.append(held(tmp_path / "trial"))
                write_app(tmp_path, HOLDS.format(3))
                os.close(config)
                wait_for(lambda: server.get().text == "3", "the second reload")
                for call, client, version in zip(calls, (old, trial), "12", strict=True):
                    os.close(call)
                    assert client.response().text == version
        wait_for(lambda: len(children(server.process.pid)) == 1, "the end of the others")
    assert not (tmp_path / "interrupted").exists()


def held(fifo: Path) -> int:
    """Wait for a reader there. It goes on when what is returned is closed."""
    found: list[int] = []

    def is_open() -> bool:
        with contextlib.suppress(OSError):
            found.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        return bool(found)

    wait_for(is_open, f"one that reads {fifo.name}")
    return found[0]


# ── beside an upgrade ─────────────────────────────────────────────────────────────────────────────


def test_a_reload_while_a_new_master_starts_changes_nothing(tmp_path: Path) -> None:
    configured(tmp_path, workers=1)
    with serving(tmp_path, VERSION.format(1), "--config", "onegate.toml") as server:
        assert server.get().text == "1"
        os.mkfifo(tmp_path / "gate")
        write_app(tmp_path, "open('gate').read()\n" + VERSION.format(2))
        server.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: server.log.count("listens on") == 2, "the new master")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("HUP ignored: the new master started by USR2")
        assert server.get().text == "1"
        opened(tmp_path)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            assert server.process.wait(DEADLINE) == 0
            assert server.get().text == "2"
        finally:
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")


def test_an_upgrade_gives_up_what_is_on_trial(tmp_path: Path) -> None:
    with serving(tmp_path, VERSION.format(1), "--pidfile", "pid") as server:
        assert server.get().text == "1"
        on_trial(server, VERSION.format(2))
        write_app(tmp_path, VERSION.format(3))
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            assert server.process.wait(DEADLINE) == 0
            assert server.get().text == "3"
            assert (tmp_path / "pid").read_text() == f"{new}\n"
        finally:
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")


def test_the_end_comes_while_another_is_on_trial(tmp_path: Path) -> None:
    (tmp_path / "onegate.toml").write_text('bind = ["unix:one"]')
    write_app(tmp_path, HELLO)
    with serving_config(tmp_path) as server:
        answers(tmp_path / "one")
        (tmp_path / "onegate.toml").write_text('bind = ["unix:two"]')
        on_trial(server, HELLO)
        assert server.stop() == 0
        assert not (tmp_path / "one").exists()
        assert not (tmp_path / "two").exists()
