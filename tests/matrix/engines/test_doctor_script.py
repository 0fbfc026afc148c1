"""What is tried from inside: each try under a limit that is there, and under none."""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from wsgi_matrix.engines import doctor_script
from wsgi_matrix.engines.process.launcher import become

FILE = doctor_script.__file__
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a uid of its own needs root")


def tried(name: str, value: str = "", *, uid: int = 0, **limits: int) -> dict[str, Any]:
    """What a process of its own tells, under ``limits`` of ``resource``."""

    def limited() -> None:
        for limit, most in limits.items():
            resource.setrlimit(getattr(resource, limit), (most, most))
        if uid:
            become(uid)

    done = subprocess.run(
        [sys.executable, "-I", "-S", FILE, name, value],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_files_are_opened_until_one_is_refused() -> None:
    found = tried("nofile", RLIMIT_NOFILE=32)
    assert 20 < found.pop("opened") < 32
    assert found == {"soft": 32, "hard": 32, "refused": "EMFILE"}


def test_where_no_limit_bites_trying_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_script, "MOST", 3)
    monkeypatch.setattr(doctor_script.os, "open", lambda *_: 99)
    found = doctor_script.nofile("")
    assert (found["opened"], found["refused"]) == (3, "")
    assert (found["soft"], found["hard"]) == resource.getrlimit(resource.RLIMIT_NOFILE)


@needs_root
def test_processes_are_forked_until_one_is_refused_and_none_is_left() -> None:
    uid = 59_931
    found = tried("processes", uid=uid, RLIMIT_NPROC=6)
    assert found == {"soft": 6, "hard": 6, "forked": 5, "refused": "EAGAIN"}
    assert tried("processes", uid=uid, RLIMIT_NPROC=6) == found


def test_memory_beyond_the_limit_is_not_to_be_had() -> None:
    assert tried("memory", str(2**20)) == {"filled": 2 * 2**20}
    with pytest.raises(subprocess.CalledProcessError):
        tried("memory", str(2**30), RLIMIT_AS=2**28)


@pytest.mark.parametrize(
    ("error", "refused"), [(None, ""), (OSError(errno.EROFS, "read-only"), "EROFS")]
)
def test_a_root_that_can_be_written_to_is_told(
    monkeypatch: pytest.MonkeyPatch, error: OSError | None, refused: str
) -> None:
    written = []

    def write(path: object, text: str) -> None:
        written.append(str(path))
        if error:
            raise error

    monkeypatch.setattr(doctor_script.Path, "write_text", write)
    assert doctor_script.readonly("") == {"refused": refused}
    assert written == ["/written"]


def test_privileges_are_those_that_the_kernel_says() -> None:
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        said = dict(line.split(":\t", 1) for line in file)
    found = tried("privileges")
    assert found["no_new_privs"] == said["NoNewPrivs"].strip()
    assert found["effective"] == int(said["CapEff"], 16)
    assert found["bounding"] == int(said["CapBnd"], 16)
    assert found["refused"] in ("EPERM", "EACCES")  # nobody can have /proc/self


def test_an_orphan_is_waited_for_by_process_1() -> None:
    found = tried("init")
    assert found["pid"] > 1
    assert found["reaped"] is True
    assert found["first"]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of a network namespace, where 8000 is free for sure: another port."""
    there: list[int] = []
    listen, connect = socket.create_server, socket.create_connection

    def create_server(address: tuple[str, int]) -> socket.socket:
        assert address == ("127.0.0.1", 8000)
        made = listen(("127.0.0.1", 0))
        there.append(made.getsockname()[1])
        return made

    def create_connection(address: tuple[str, int], timeout: float) -> socket.socket:
        assert address == ("127.0.0.1", 8000)
        if not there:
            raise ConnectionRefusedError
        return connect(("127.0.0.1", there[0]), timeout)

    monkeypatch.setattr(doctor_script.socket, "create_server", create_server)
    monkeypatch.setattr(doctor_script.socket, "create_connection", create_connection)


@pytest.mark.usefixtures("network")
def test_two_in_one_network_hear_each_other() -> None:
    received: list[dict[str, Any]] = []
    connecting = threading.Thread(target=lambda: received.append(doctor_script.connect("")))
    connecting.start()
    assert "lo" in doctor_script.listen("")["interfaces"]
    connecting.join(60)
    assert received == [{"received": "a word"}]


@pytest.mark.usefixtures("network")
def test_who_hears_nobody_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_script, "SECONDS", 0.05)
    with pytest.raises(ConnectionRefusedError):
        doctor_script.connect("")
    with pytest.raises(TimeoutError):
        doctor_script.listen("")


def test_an_error_without_a_name_is_told_in_words() -> None:
    assert doctor_script.name_of(OSError(errno.EAGAIN, "")) == "EAGAIN"
    assert doctor_script.name_of(OSError("odd")) == "odd"
