"""``.ci/tally``: the last line of ``make test``, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TALLY = Path(__file__).parents[2] / ".ci" / "tally"
SUITE = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


def tally(
    folder: Path, tox: dict[str, bool], junit: dict[str, tuple[int, ...]], docker: str = ""
) -> tuple[int, str]:
    """Return exit status and last line. ``tox``: environments and whether they succeeded."""
    tests = folder / "build" / "tests"
    tests.mkdir(parents=True, exist_ok=True)
    result = {"testenvs": {name: {"result": {"success": well}} for name, well in tox.items()}}
    result["testenvs"]["not-asked-for"] = {}
    (tests / "tox.json").write_text(json.dumps(result))
    for name, counts in junit.items():
        (tests / f"{name}.xml").write_text(SUITE.format(*counts))
    run = subprocess.run(
        [sys.executable, TALLY, tests.relative_to(folder)],
        cwd=folder,
        env={"WSGI_MATRIX_REQUIRE_DOCKER": docker},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("reason", "ci", "expected"),
    [
        ("nginx is missing; `make programs` installs it", "true", (1, "1 passed, 2 failed")),
        ("nginx is missing; `make programs` installs it", "", (0, "1 passed, 0 failed")),
        ("no other Python of this version here", "true", (0, "1 passed, 0 failed")),
    ],
)
def test_skipped_for_want_of_something_that_can_be_installed(
    tmp_path: Path, reason: str, ci: str, expected: tuple[int, str]
) -> None:
    tests = tmp_path / "build" / "tests"
    tests.mkdir(parents=True)
    case = f'<testcase><skipped message="{reason}"/></testcase>'
    suite = f'<testsuite tests="3" failures="0" errors="0" skipped="2">{case * 2}</testsuite>'
    (tests / "server.xml").write_text(f"<testsuites>{suite}</testsuites>")
    outcome = {"testenvs": {"server": {"result": {"success": True}}}}
    (tests / "tox.json").write_text(json.dumps(outcome))
    run = subprocess.run(
        [sys.executable, TALLY, tests], cwd=tmp_path, env={"CI": ci},
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert f"skipped 2 x {reason}" in run.stdout.splitlines()
    assert (run.returncode, run.stdout.splitlines()[-1]) == expected


def matrix_ran_on(folder: Path, engine: str) -> None:
    results = folder / "build" / "matrix" / "results.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"run": {"engine": engine}}))


def test_adds_tests_and_counts_a_linter_as_one(tmp_path: Path) -> None:
    result = tally(tmp_path, {"flask": True, "lint": True}, {"flask": (9, 0, 0, 2)})
    assert result == (0, "8 passed, 0 failed")


def test_failures_and_errors_are_failed(tmp_path: Path) -> None:
    result = tally(tmp_path, {"flask": False, "lint": False}, {"flask": (9, 1, 2, 0)})
    assert result == (1, "6 passed, 4 failed")


@pytest.mark.parametrize("junit", [{"flask": (9, 0, 0, 0)}, {}], ids=["after", "before"])
def test_environment_that_failed_outside_its_tests_fails(
    tmp_path: Path, junit: dict[str, tuple[int, ...]]
) -> None:
    code, line = tally(tmp_path, {"flask": False}, junit)
    assert code == 1
    assert line.endswith(" passed, 1 failed")


def test_nothing_run_is_a_failure(tmp_path: Path) -> None:
    assert tally(tmp_path, {}, {}) == (1, "0 passed, 1 failed")


@pytest.mark.parametrize("environment", ["matrix", "conformance"])
def test_containers_are_required_in_ci(tmp_path: Path, environment: str) -> None:
    ran = {"lint": True, environment: True}
    assert tally(tmp_path, ran, {}, docker="1") == (1, "2 passed, 1 failed")
    matrix_ran_on(tmp_path, "process")
    assert tally(tmp_path, ran, {}, docker="1") == (1, "2 passed, 1 failed")
    assert tally(tmp_path, ran, {}) == (0, "2 passed, 0 failed")
    matrix_ran_on(tmp_path, "docker")
    assert tally(tmp_path, ran, {}, docker="1") == (0, "2 passed, 0 failed")


def test_containers_are_not_required_of_what_runs_no_matrix(tmp_path: Path) -> None:
    """As in the jobs of CI that run some environments only."""
    assert tally(tmp_path, {"lint": True, "lessons": True}, {}, docker="1") == (
        0,
        "2 passed, 0 failed",
    )
