"""Under a real systemd, with the units of docs/operation.md: Type=notify from start to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.operation.samples import sample
from tests.server.helpers import DEADLINE, Client, wait_for
from tests.server.loads import ECHO, Load, loading
from tests.server.ports import free_port
from tests.server.processes import children, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.operation.service_manager import Manager

APP = """
import os, subprocess
from pathlib import Path

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hang":
        Path("called").touch()
        Path("gate").read_bytes()
    if path == "/notify":
        subprocess.run(["systemd-notify", "STOPPING=1"], check=False, stderr=subprocess.DEVNULL)
    content = ("{}" + path).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
"""
both_accesses = pytest.mark.parametrize("access", ["main", "all"])


@dataclass
class Site:
    """The service ``mysite`` and where it listens."""

    manager: Manager
    folder: Path
    port: int

    def write(self, version: str) -> None:
        """Have it say ``version`` from its next load on."""
        (self.folder / "mysite" / "wsgi.py").write_text(APP.replace("{}", version))

    def connect(self) -> Client:
        return Client(socket.create_connection(("127.0.0.1", self.port), DEADLINE))

    def get(self, path: str = "/") -> str:
        with self.connect() as client:
            return client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).response().text

    @property
    def state(self) -> str:
        return self.manager.show("mysite.service", "ActiveState")

    @property
    def main(self) -> int:
        return int(self.manager.show("mysite.service", "MainPID"))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> int:
        """Start it; the main process, which serves."""
        self.manager.systemctl("start", "mysite.service")
        return self.main

    def kill(self, number: str) -> None:
        """Send a signal to the main process, as an operator does."""
        self.manager.systemctl("kill", "--kill-who=main", f"--signal={number}", "mysite.service")

    def upgrade(self) -> int:
        """USR2, and wait for the new main process."""
        old = self.main
        self.kill("USR2")
        wait_for(lambda: not running(old), f"the old master's end\n{self.log}")
        wait_for(lambda: self.main != old, "another main process")
        return self.main

    def stop(self) -> None:
        """Stop it; nothing may be left, and nothing have gone wrong."""
        group = self.manager.processes("mysite.service")
        assert group
        self.manager.systemctl("stop", "mysite.service")
        assert self.state == "inactive", self.log
        assert self.manager.show("mysite.service", "Result") == "success"
        assert not any(running(pid) for pid in group)


@contextlib.contextmanager
def site(
    manager: Manager,
    folder: Path,
    access: str = "main",
    *,
    activated: bool = False,
    options: str = "",
    **more: str,
) -> Iterator[Site]:
    """The units of the manual. ``options``: of the server; ``more``: settings of the service."""
    there = Site(manager, folder, free_port())
    (folder / "mysite").mkdir()
    there.write("one")
    lines = {
        "NotifyAccess": access,
        "StandardError": f"append:{folder / 'log'}",
        # Two versions of a file within a second are the same to what is cached of it.
        "Environment": "PYTHONDONTWRITEBYTECODE=1",
        **more,
    }
    changes = {
        "/srv/venv/bin/onegate": f"{sys.executable} -m onegate",
        "/srv/mysite": str(folder),
        "127.0.0.1:8000": f"127.0.0.1:{there.port} {options}",
        "[Install]": "".join(f"{name}={value}\n" for name, value in lines.items()) + "\n[Install]",
    }
    texts = {"mysite_service": sample("mysite.service", changes)}
    if activated:
        listen = {"ListenStream=8000": f"ListenStream=127.0.0.1:{there.port}"}
        texts["mysite_socket"] = sample("mysite.socket", listen)
    with manager.units(**texts):
        yield there


@both_accesses
def test_start_returns_when_it_serves_and_stop_leaves_nothing(
    manager: Manager, tmp_path: Path, access: str
) -> None:
    with site(manager, tmp_path, access) as there:
        main = there.start()
        assert there.state == "active"
        assert there.get("/") == "one/"
        assert children(main)
        there.stop()
        with pytest.raises(ConnectionRefusedError):
            there.connect()


def test_an_application_that_cannot_be_loaded_fails_the_start(
    manager: Manager, tmp_path: Path
) -> None:
    with site(manager, tmp_path, Restart="no") as there:
        (tmp_path / "mysite" / "wsgi.py").write_text("raise RuntimeError('no such luck')")
        manager.systemctl("start", "mysite.service", status=1)
        assert manager.show("mysite.service", "Result") == "exit-code"
        assert "no such luck" in there.log


def test_stop_answers_what_is_in_flight(manager: Manager, tmp_path: Path) -> None:
    with site(manager, tmp_path) as there:
        there.start()
        os.mkfifo(tmp_path / "gate")
        with there.connect() as client:
            client.send(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_for((tmp_path / "called").exists, "the call")
            manager.systemctl("stop", "--no-block", "mysite.service")
            wait_for(
                lambda: manager.show("mysite.service", "SubState") == "stop-sigterm", "the stop"
            )
            with (tmp_path / "gate").open("w"):
                pass
            assert client.response().text == "one/hang"
        wait_for(lambda: there.state == "inactive", "the end")
        assert manager.show("mysite.service", "Result") == "success"


@both_accesses
def test_reload(manager: Manager, tmp_path: Path, access: str) -> None:
    with site(manager, tmp_path, access) as there:
        main = there.start()
        there.write("two")
        manager.systemctl("reload", "mysite.service")
        wait_for(lambda: there.get() == "two/", "the new code")
        wait_for(lambda: there.state == "active", "the end of the reload")
        (tmp_path / "mysite" / "wsgi.py").write_text("raise RuntimeError('no such luck')")
        manager.systemctl("reload", "mysite.service")
        wait_for(lambda: "reload failed" in there.log, "the failure")
        wait_for(lambda: there.state == "active", "the end of the reload")
        assert there.get() == "two/"
        assert there.main == main
        there.stop()


@both_accesses
def test_usr2_keeps_the_service_active_and_systemd_knows_the_new_master(
    manager: Manager, tmp_path: Path, access: str
) -> None:
    with site(manager, tmp_path, access) as there:
        old = there.start()
        for version in ("two", "three"):
            there.write(version)
            new = there.upgrade()
            assert there.state == "active", there.log
            assert running(new)
            assert new != old
            assert children(new), "it is a master"
            assert there.get() == f"{version}/"
        # It is the one that a reload means, whose death is noticed, and whom a stop ends.
        there.write("four")
        manager.systemctl("reload", "mysite.service")
        wait_for(lambda: there.get() == "four/", "the new code")
        assert there.main == new
        there.kill("KILL")
        wait_for(
            lambda: there.main not in (0, new) and there.state == "active", "a start by systemd"
        )
        assert there.get() == "four/"
        there.stop()


@pytest.mark.parametrize("options", ["", "--preload"])
def test_a_stop_after_usr2_answers_what_is_in_flight(
    manager: Manager, tmp_path: Path, options: str
) -> None:
    """systemd waits for the end of a main process that is its own child, and kills others."""
    with site(manager, tmp_path, options=options) as there:
        there.start()
        there.upgrade()
        os.mkfifo(tmp_path / "gate")
        with there.connect() as client:
            client.send(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_for((tmp_path / "called").exists, "the call")
            manager.systemctl("stop", "--no-block", "mysite.service")
            wait_for(lambda: there.log.count("stopping gracefully") == 2, "the second stop")
            with (tmp_path / "gate").open("w"):
                pass
            assert client.response().text == "one/hang"
        wait_for(lambda: there.state == "inactive", "the end")
        assert manager.show("mysite.service", "Result") == "success"


def test_usr2_loses_no_request(manager: Manager, tmp_path: Path) -> None:
    with site(manager, tmp_path) as there:
        (tmp_path / "mysite" / "wsgi.py").write_text(ECHO)
        there.start()
        with loading(Load("127.0.0.1", there.port, keep_alive=False)) as load:
            there.upgrade()
            load.progress()
        assert (load.lost, load.refused) == ([], 0)
        there.stop()


def test_usr2_with_code_that_does_not_load_changes_nothing(
    manager: Manager, tmp_path: Path
) -> None:
    with site(manager, tmp_path, "all") as there:
        main = there.start()
        (tmp_path / "mysite" / "wsgi.py").write_text("raise RuntimeError('no such luck')")
        there.kill("USR2")
        wait_for(lambda: "before it was ready; upgrade cancelled" in there.log, "the failure")
        assert there.main == main
        assert there.state == "active"
        assert there.get() == "one/"
        there.stop()


def test_the_watchdog_is_fed_by_a_master_that_was_handed_over_to(
    manager: Manager, tmp_path: Path
) -> None:
    with site(manager, tmp_path, WatchdogSec="8") as there:
        there.start()
        new = there.upgrade()
        fed = manager.show("mysite.service", "WatchdogTimestampMonotonic")
        wait_for(
            lambda: manager.show("mysite.service", "WatchdogTimestampMonotonic") != fed,
            "its sign",
            60,
        )
        assert there.main == new
        assert manager.show("mysite.service", "NRestarts") == "0"


def test_the_watchdog_has_a_master_that_hangs_started_again(
    manager: Manager, tmp_path: Path
) -> None:
    with site(manager, tmp_path, WatchdogSec="4") as there:
        main = there.start()
        os.kill(main, signal.SIGSTOP)
        wait_for(lambda: not running(main), "its end by the watchdog", 60)
        wait_for(lambda: there.state == "active" and there.main != main, "another start")
        assert there.get() == "one/"
        there.stop()


def test_a_socket_starts_the_service_and_a_restart_refuses_nobody(
    manager: Manager, tmp_path: Path
) -> None:
    with site(manager, tmp_path, activated=True) as there:
        (tmp_path / "mysite" / "wsgi.py").write_text(ECHO)
        manager.systemctl("start", "mysite.socket")
        assert there.state == "inactive"
        assert there.get("/first") == "/first"
        main = there.main
        with loading(Load("127.0.0.1", there.port, keep_alive=False)) as load:
            manager.systemctl("restart", "mysite.service")
            load.progress()
            manager.systemctl("reload", "mysite.service")
            load.progress()
            again = there.main
            there.upgrade()
            load.progress()
        assert (load.lost, load.refused) == ([], 0)
        assert main != again
        manager.systemctl("stop", "mysite.socket")
        there.stop()


@both_accesses
def test_restart(manager: Manager, tmp_path: Path, access: str) -> None:
    with site(manager, tmp_path, access) as there:
        main = there.start()
        there.write("two")
        manager.systemctl("restart", "mysite.service")
        assert there.main != main
        assert there.get() == "two/"
        there.stop()


def test_the_application_cannot_speak_for_the_service(manager: Manager, tmp_path: Path) -> None:
    with site(manager, tmp_path, "all") as there:
        there.start()
        assert there.get("/notify") == "one/notify"
        assert there.state == "active"
        there.write("two")
        manager.systemctl("reload", "mysite.service")
        # Old workers serve beside the new ones until these are ready.
        wait_for(lambda: there.get("/notify") == "two/notify", "the new code")
        assert there.state in ("active", "reloading"), "it does not stop"
        wait_for(lambda: there.state == "active", "the end of the reload")
        there.stop()
