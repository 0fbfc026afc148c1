"""What the process engine says that it honours."""

from __future__ import annotations

import os
from typing import Any

import pytest
from wsgi_matrix.engines.doctor import Finding
from wsgi_matrix.engines.process import doctor
from wsgi_matrix.engines.process.limits_and_usage import NO_CGROUP, NO_IMAGE, NO_UID

ONLY_CONTAINERS = ("pids", "memory", "read-only", "no-new-privileges", "init", "shared network")


def found(engine: Any) -> dict[str, Finding]:
    return {each.what: each for each in doctor.findings(engine.uid() if engine.root else None)}


def test_on_this_machine_descriptors_and_processes_are_limited(process_engine: Any) -> None:
    findings = found(process_engine)
    nofile = findings["nofile"]
    assert nofile.holds
    assert nofile.observed.startswith("64/64; ")
    assert nofile.observed.endswith(" opened, then EMFILE")
    if os.geteuid() == 0:
        assert findings["nproc"].holds
        assert findings["nproc"].observed == "8/8; 7 forked, then EAGAIN"


class Engine:
    """As much of an engine as is looked at."""

    root = True

    def uid(self) -> int:
        return 4711


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """What the tries tell: a machine on which all is well, to be changed."""
    values: dict[str, dict[str, object]] = {
        "nofile": {"soft": 64, "hard": 64, "opened": 60, "refused": "EMFILE"},
        "processes": {"soft": 8, "hard": 8, "forked": 7, "refused": "EAGAIN"},
    }

    def run(name: str, limit: int, value: int, uid: int | None = None) -> dict[str, object]:
        assert uid == (4711 if name == "processes" else None)
        return values[name]

    monkeypatch.setattr(doctor, "_run", run)
    return values


@pytest.mark.unit
@pytest.mark.parametrize(
    ("name", "change", "holds"),
    [
        ("nofile", {}, True),
        ("nofile", {"soft": 63}, False),
        ("nofile", {"hard": 1024}, False),
        ("nofile", {"refused": ""}, False),
        ("processes", {}, True),
        ("processes", {"soft": 7}, False),
        ("processes", {"hard": 9}, False),
        ("processes", {"refused": ""}, False),
    ],
)
def test_a_limit_holds_where_it_was_set_and_bites(told, name, change, holds) -> None:
    told[name] |= change
    findings = found(Engine())
    what, other = ("nofile", "nproc") if name == "nofile" else ("nproc", "nofile")
    assert findings[what].holds is holds
    assert findings[other].holds
    assert f"{told[name]['soft']}/{told[name]['hard']}; " in findings[what].observed


@pytest.mark.unit
def test_what_only_containers_have_is_told_with_its_reason(told) -> None:
    findings = found(Engine())
    assert list(findings) == ["nofile", "nproc", *ONLY_CONTAINERS]
    for what in ONLY_CONTAINERS:
        assert not findings[what].holds
        assert findings[what].requested == "containers only"
    assert findings["memory"].observed == findings["pids"].observed == NO_CGROUP
    assert findings["read-only"].observed == NO_IMAGE


@pytest.mark.unit
def test_without_root_there_is_no_uid_whose_processes_could_be_counted(told, monkeypatch) -> None:
    monkeypatch.setattr(Engine, "root", False)
    nproc = found(Engine())["nproc"]
    assert (nproc.observed, nproc.holds) == (NO_UID, False)
