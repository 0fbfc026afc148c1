"""The Makefile on a machine that lacks something: one line says what to do, nothing half-made."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The newest Python that is too old, played by this one.
OLD = f"""#!/bin/sh
[ "$1" = -V ] && {{ echo Python 3.10.99; exit; }}
exec '{sys.executable}' -c 'import sys; sys.version_info = (3, 10, 99); exec(sys.argv[1])' "$2"
"""
NO_ENSUREPIP = """#!/bin/sh
case "$2" in *ensurepip*) exit 1;; esac
"""


def make_tools(folder: Path, python: Path) -> subprocess.CompletedProcess[str]:
    """Ask for the tools in ``folder``, with ``python`` as the machine's Python."""
    venv = folder / "venv"
    return subprocess.run(
        ["make", "--silent", f"VENV={venv}", f"PYTHON={python}", f"{venv}/.tools"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "was not found; install Python 3.11 or newer, or name one: make PYTHON=…"),
        (OLD, "is Python 3.10.99, but 3.11 or newer is needed: make PYTHON=python3.13"),
        (NO_ENSUREPIP, "on Debian and Ubuntu: apt-get install python3-venv"),
    ],
    ids=["no Python", "old Python", "no ensurepip"],
)
def test_says_what_is_missing(tmp_path: Path, script: str | None, message: str) -> None:
    python = tmp_path / "python"
    if script is not None:
        python.write_text(script)
        python.chmod(0o755)
    run = make_tools(tmp_path, python)
    first, *rest = run.stderr.splitlines()
    assert run.returncode == 2
    assert first.startswith("make: ")
    assert message in first
    assert [line for line in rest if not line.startswith("make: ***")] == []
    assert not (tmp_path / "venv").exists()


def test_the_tests_say_beforehand_what_is_missing(tmp_path: Path) -> None:
    """With the one command that installs it; nothing is installed by that."""
    for name in ("bash", "ls"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    run = subprocess.run(
        [tmp_path / "bash", ROOT / ".ci" / "programs", "--missing"], env={"PATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert re.fullmatch(
        r"Tests that need .*\bchromium\b.* are skipped; `make programs` installs them\.\n",
        run.stdout,
    )


def test_all_tests_run_each_cell_once() -> None:
    """In the environment matrix; those of a framework run its cells when they are asked for."""
    run = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.search(r"MATRIX_CELLS= \S+/tox run-parallel", run.stdout)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    assert "{env:MATRIX_CELLS:tests/test_matrix.py " in tox["testenv"]["commands"]
    assert "wsgi-matrix run --suite hello" in tox["testenv:matrix"]["commands"]
    assert "MATRIX_CELLS" in tox["testenv"]["pass_env"].split()
