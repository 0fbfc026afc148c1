"""``.ci/times``: where the time of a run went, from what tox and pytest left of it."""

from __future__ import annotations

import configparser
import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CASE = '<testcase classname="{}" name="{}" time="{}"/>'
INI = """
[testenv]
description = the app {envname}
[testenv:server]
description = the server
"""


@pytest.fixture(scope="module")
def times() -> Iterator[ModuleType]:
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("ci_times", str(ROOT / ".ci" / "times"))
    spec = importlib.util.spec_from_loader("ci_times", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ci_times", module)
        loader.exec_module(module)
        yield module


def command(
    program: str, elapsed: float, run_id: str = "commands[0]", start: float = 1000.0
) -> dict[str, object]:
    """What tox tells of a command that it ran."""
    times = {"elapsed": elapsed, "start": start, "end": start + elapsed}
    return {"command": [f"/x/bin/{program}", "y"], "run_id": run_id, **times}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of three environments, one of which has no tests, and one that was not asked for."""
    (tmp_path / "tox.ini").write_text(INI)
    environments = {
        "lint": {"result": {"duration": 0.6}, "test": [command("ruff", 0.5)]},
        "flask": {
            "result": {"duration": 59.4},
            "test": [command("uv", 2, "commands_pre[0]"), command("pytest", 57)],
        },
        "server": {
            "result": {"duration": 125.4},
            "setup": [command("uv", 0.9, "install_deps", 999.1)],
            "test": [command("pytest", 65.0), command("wsgi-matrix", 60.0, "commands[1]", 1065)],
        },
        "other": {},
    }
    (tmp_path / "tox.json").write_text(json.dumps({"testenvs": environments}))
    cases = [("tests.server.test_a", f"test_{n}[a|b]", n) for n in (1.5, 2.0, 30, 4, 3.25)]
    for name, found in ("server", cases), ("flask", [("tests.apps.test_b", "test_c", 0.1)]):
        inner = "".join(CASE.format(*case) for case in found)
        (tmp_path / f"{name}.xml").write_text(
            f"<testsuites><testsuite>{inner}</testsuite></testsuites>"
        )
    return tmp_path


def test_a_row_for_each_environment_the_longest_first(times: ModuleType, run: Path) -> None:
    table = times.render(times.read(run, run / "tox.ini")).splitlines()
    assert table[2] == (
        "| `server` | 2:05<br>pytest 1:05 + wsgi-matrix 1:00 | 5 | the server "
        "| 30 s `server/test_a::test_30[a\\|b]`<br>4 s `server/test_a::test_4[a\\|b]`"
        "<br>3 s `server/test_a::test_3.25[a\\|b]` |"
    )
    assert table[3:] == [
        "| `flask` | 0:59 | 1 | the app flask |  |",
        "| `lint` | 0:01 |  | the app lint |  |",
        "| **together** | **2:06** | 6 | 3:05 one after another | |",
    ]


def test_it_goes_between_the_marks_of_a_page_and_nowhere_else(
    times: ModuleType, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = run / "testing.md"
    page.write_text("# Tests\n<!-- times -->\nold\n<!-- /times -->\nend\n")
    for _ in range(2):
        assert times.main([str(run), "--write", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("# Tests\n<!-- times -->\n\n| environment |")
    assert text.endswith(".\n\n<!-- /times -->\nend\n")
    assert text.count("| environment |") == 1
    assert "old" not in text
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("page", ["# Tests\n", "<!-- times -->\n<!-- times -->\n<!-- /times -->"])
def test_a_page_without_its_block_is_left_alone(
    times: ModuleType, run: Path, capsys: pytest.CaptureFixture[str], page: str
) -> None:
    (run / "testing.md").write_text(page)
    assert times.main([str(run), "--write", str(run / "testing.md")]) == 1
    assert (run / "testing.md").read_text() == page
    assert "there is no <!-- times -->" in capsys.readouterr().err


def test_without_a_run_it_fails(
    times: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert times.main([str(tmp_path)]) == 1
    assert "tox.json" in capsys.readouterr().err


def test_the_page_has_the_block_and_each_environment_a_description(times: ModuleType) -> None:
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert all(page.count(mark) == 1 for mark in times.MARKS)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert all(tox[name].get("description") for name in tox if name.startswith("testenv"))
