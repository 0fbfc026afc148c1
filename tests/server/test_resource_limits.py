"""``onegate.process.resource_limits``: what is read of them; that they hold is in tests/limits/."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest
from onegate.config.settings import Settings
from onegate.process import resource_limits


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(resource_limits, "_CGROUPS", tmp_path)
    return tmp_path


def test_version_2_at_the_root_as_in_a_container(groups: Path) -> None:
    (groups / "memory.max").write_text("134217728\n")
    (groups / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert resource_limits.memory_limit() == 128 << 20
    assert resource_limits.oom_kills() == 2


def test_version_1_in_the_folder_of_its_own_as_under_systemd(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = groups / "memory/system.slice/web.service"
    folder.mkdir(parents=True)
    (groups / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    (folder / "memory.limit_in_bytes").write_text("67108864\n")
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    monkeypatch.setattr(resource_limits, "_own_group", lambda name: "system.slice/web.service")
    assert resource_limits.memory_limit() == 64 << 20
    assert resource_limits.oom_kills() == 1


def test_no_limit_is_none(groups: Path) -> None:
    assert resource_limits.memory_limit() == 0
    (groups / "memory.max").write_text("max\n")
    assert resource_limits.memory_limit() == 0
    assert resource_limits.oom_kills() == 0


def test_the_path_of_this_process_is_found() -> None:
    told = Path("/proc/self/cgroup").read_text()
    for controllers, path in re.findall(r"(?m)^[0-9]+:([^:]*):/(.*)$", told):
        assert resource_limits._own_group(controllers.split(",")[0]) == path
    assert resource_limits._own_group("no such controller") == ""


def test_a_worker_is_never_promised_more_than_there_is() -> None:
    least = resource_limits.budget(10**9, 100)
    assert least.connections == 1
    assert resource_limits.budget(10, 7).connections == 7


def test_the_line_for_the_log_says_what_there_is() -> None:
    text = resource_limits.describe(Settings(workers=3, threads=2, worker_connections=50))
    assert text.startswith("3 workers with 2 threads and 50 connections each; nofile ")


def test_the_line_is_that_of_the_manual(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soft = {resource.RLIMIT_NOFILE: 256, resource.RLIMIT_NPROC: 400}
    monkeypatch.setattr(resource_limits, "_soft", soft.__getitem__)
    (groups / "memory.max").write_text(f"{128 << 20}\n")
    manual = Path(__file__).parents[2] / "docs/operation.md"
    assert resource_limits.describe(Settings(workers=2)) in manual.read_text().splitlines()
