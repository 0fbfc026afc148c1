"""What an engine honours: what is seen of each container, and what is made of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from docker.errors import APIError
from wsgi_matrix.engines import doctor_script
from wsgi_matrix.engines.docker import doctor
from wsgi_matrix.engines.docker.client import LABEL
from wsgi_matrix.engines.docker.doctor import DockerDoctor
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.engines.doctor import Finding

from tests.matrix.engines.docker.conftest import PYTHONS

GOOD: dict[str, dict[str, Any] | None] = {
    "nofile": {"soft": 64, "hard": 64, "opened": 60, "refused": "EMFILE"},
    "processes": {"soft": 8, "hard": 8, "forked": 7, "refused": "EAGAIN"},
    "memory": None,
    "readonly": {"refused": "EROFS"},
    "privileges": {"no_new_privs": "1", "effective": 0, "bounding": 0, "refused": "EPERM"},
    "init": {"pid": 7, "first": "docker-init", "reaped": True},
    "listen": {"interfaces": ["lo"]},
    "connect": {"received": "a word"},
}
"""What the script tells in an engine that honours everything."""
TITLES = {
    "nofile": "nofile",
    "processes": "nproc",
    "memory": "memory",
    "readonly": "read-only",
    "privileges": "no-new-privileges",
    "init": "init",
    "connect": "shared network",
}


@dataclass
class Client:
    """An engine in place of a real one: it runs nothing, and tells what a test gives it."""

    told: dict[str, Any] = field(default_factory=lambda: dict(GOOD))
    state: dict[str, Any] = field(
        default_factory=lambda: {"Running": False, "ExitCode": 137, "OOMKilled": True}
    )
    refuses: Exception | None = None
    made: dict[str, SimpleNamespace] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return options

    def create_container(self, image: str, **options: Any) -> dict[str, str]:
        name = f"c{len(self.made)}"
        self.made[name] = SimpleNamespace(image=image, name=options["entrypoint"][5], **options)
        return {"Id": name}

    def start(self, container: str) -> None:
        if self.refuses:
            raise self.refuses

    def inspect_container(self, container: str) -> dict[str, Any]:
        return {"State": self.state}

    def logs(self, container: str) -> bytes:
        told = self.told[self.made[container].name]
        return told.encode() if isinstance(told, str) else json.dumps(told).encode()

    def remove_container(self, container: str, **options: Any) -> None:
        self.removed.append(container)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Client:
    double = Client()
    # How containers are removed is another module's, and of a real engine.
    monkeypatch.setattr(
        doctor, "remove_containers", lambda client, containers: double.removed.extend(containers)
    )
    return double


def found(client: Any) -> dict[str, Finding]:
    return {each.what: each for each in DockerDoctor(client, "python:3").findings()}


def test_where_all_is_honoured_all_holds(fake: Client) -> None:
    findings = found(fake)
    assert [each.what for each in findings.values() if not each.holds] == []
    assert {each.what: each.observed for each in findings.values()} == {
        "nofile": "64/64; 60 opened, then EMFILE",
        "nproc": "8/8; 7 forked, then EAGAIN",
        "pids": "7 forked, then EAGAIN",
        "memory": "killed, exit status 137",
        "memory, reported": "OOMKilled: True",
        "read-only": "writing fails with EROFS",
        "no-new-privileges": "NoNewPrivs 1, CapEff 0, CapBnd 0",
        "init": "process 1 is docker-init; orphan reaped: True",
        "shared network": "received 'a word' over lo",
    }


def test_each_try_has_a_container_of_its_own_that_is_removed(fake: Client) -> None:
    found(fake)
    assert sorted(fake.removed) == sorted(fake.made)
    by_name = {each.name: each for each in fake.made.values()}
    assert set(by_name) == set(GOOD) == set(doctor_script.TRIES)
    for each in fake.made.values():
        assert each.image == "python:3"
        assert each.labels[LABEL] == "doctor"
        assert each.entrypoint[:4] == ["python3", "-I", "-S", "-c"]
    assert by_name["readonly"].host_config["read_only"] is True
    assert by_name["init"].host_config["init"] is True
    assert by_name["privileges"].host_config["cap_drop"] == ["ALL"]
    limit = doctor.MEMORY
    assert by_name["memory"].host_config["mem_limit"] == limit
    assert by_name["memory"].entrypoint[6] == str(limit)
    [listening] = [key for key, each in fake.made.items() if each.name == "listen"]
    assert by_name["connect"].host_config["network_mode"] == f"container:{listening}"
    assert by_name["listen"].host_config["network_mode"] == "none"
    limited = [each for each in fake.made.values() if each.name == "processes"]
    assert {each.user for each in limited} == {f"{doctor.UID}:{doctor.UID}"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("nofile", {"soft": 1024}),
        ("nofile", {"hard": 1024}),
        ("nofile", {"refused": ""}),
        ("processes", {"soft": 9}),
        ("processes", {"hard": 9}),
        ("processes", {"forked": 8}),
        ("readonly", {"refused": ""}),
        ("privileges", {"no_new_privs": "0"}),
        ("privileges", {"effective": 1}),
        ("privileges", {"bounding": 1}),
        ("privileges", {"refused": ""}),
        ("init", {"pid": 1}),
        ("init", {"reaped": False}),
        ("connect", {"received": "other"}),
    ],
)
def test_what_is_not_honoured_does_not_hold(fake: Client, name: str, change: Any) -> None:
    good = GOOD[name]
    assert good is not None
    fake.told[name] = good | change
    assert [each.what for each in found(fake).values() if not each.holds] == [TITLES[name]]


def test_a_limit_of_pids_bites_before_it_is_reached(fake: Client) -> None:
    fake.told["processes"] = {"soft": 8, "hard": 8, "forked": doctor.PIDS, "refused": "EAGAIN"}
    assert not found(fake)["pids"].holds
    fake.told["processes"] = {"soft": 8, "hard": 8, "forked": 0, "refused": "EAGAIN"}
    assert not found(fake)["pids"].holds  # the try itself could not have run


def test_memory_without_a_limit_is_filled(fake: Client) -> None:
    fake.told["memory"] = {"filled": 2 * doctor.MEMORY}
    finding = found(fake)["memory"]
    assert (finding.observed, finding.holds) == ("128 MiB were filled", False)


@pytest.mark.parametrize(("code", "told"), [(1, True), (137, False)])
def test_the_end_and_its_reason_are_told_apart(fake: Client, code: int, told: bool) -> None:
    fake.state = {"Running": False, "ExitCode": code, "OOMKilled": told}
    findings = found(fake)
    assert findings["memory"].holds is (code == 137)
    assert findings["memory, reported"].holds is told


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("Traceback\nOSError: no python3\n", "exit status 137: OSError: no python3"),
        ("", "exit status 137: no output"),
        ("[1]", "exit status 137: [1]"),
    ],
)
def test_a_container_that_tells_nothing_is_told_by_its_last_line(
    fake: Client, said: str, seen: str
) -> None:
    fake.told["readonly"] = said
    finding = found(fake)["read-only"]
    assert (finding.observed, finding.holds) == (seen, False)


def test_what_an_engine_refuses_is_a_finding_in_its_own_words(fake: Client) -> None:
    fake.refuses = APIError("500 Server Error", explanation=" no such runtime \n")
    findings = found(fake)
    assert {each.observed for each in findings.values()} == {"refused: no such runtime"}
    assert not any(each.holds for each in findings.values())
    assert sorted(fake.removed) == sorted(fake.made)


def test_a_container_that_does_not_end_is_given_up(
    fake: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "DEADLINE", 0.01)
    fake.state = {"Running": True}
    findings = found(fake)
    assert {each.observed for each in findings.values()} == {
        "refused: a container did not exit within 0 s"
    }
    assert sorted(fake.removed) == sorted(fake.made)


@pytest.mark.docker
def test_the_engine_of_this_machine(engine: DockerEngine, client: docker.APIClient) -> None:
    """Whatever it honours, it is seen; what cells cannot do without holds."""
    found = engine.findings(PYTHONS[0], lambda phase, detail: None)
    findings = {each.what: each for each in found}
    assert [
        each for each in findings.values() if each.observed.startswith(("refused", "exit"))
    ] == []
    for what in ("nofile", "nproc", "memory", "read-only", "no-new-privileges", "shared network"):
        assert findings[what].holds, findings[what]
    assert client.containers(all=True, filters={"label": f"{LABEL}=doctor"}) == []
