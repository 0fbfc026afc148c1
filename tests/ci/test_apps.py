"""An app is a directory and a stanza of matrix.toml: tox and CI have it by that alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = tomllib.loads((ROOT / "matrix.toml").read_text(encoding="utf-8"))["apps"]
STANZA = '\n[apps.another]\npath = "apps/anotherapp"\nframework = "another"\n'


@pytest.mark.parametrize("name", APPS)
def test_the_directory_of_an_app_is_called_for_it_and_has_its_lock(name: str) -> None:
    """As [testenv] of tox.ini makes of the name of an environment."""
    assert APPS[name]["path"] == f"apps/{name}app"
    assert (ROOT / APPS[name]["path"] / "requirements.txt").is_file()


@pytest.fixture
def tox(tmp_path: Path):
    """`tox("list")`: what tox says of a copy of the configuration with another app."""
    pytest.importorskip("tox_uv", reason="tox is not installed here: pip install tox-uv")
    for name in ("tox.ini", "toxfile.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "matrix.toml").write_text((ROOT / "matrix.toml").read_text() + STANZA)

    def run(*words: str, **environ: str) -> str:
        outside = {name: value for name, value in os.environ.items() if name[:4] != "TOX_"}
        done = subprocess.run(
            [sys.executable, "-m", "tox", *words], cwd=tmp_path, env=outside | environ,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    return run


def test_tox_has_an_environment_for_each_app(tox) -> None:
    listed = tox("list", "--no-desc", "-q", "-d").split()
    assert {*APPS, "another"} <= set(listed)
    assert len(listed) == len(set(listed))
    assert listed[0] == "lint"
    deps = tox("config", "-e", "another", "-k", "deps")
    assert "--requirement=apps/anotherapp/requirements.txt" in deps


def test_the_job_of_ci_that_runs_the_rest_has_it_too(tox) -> None:
    [rest] = [
        line.partition(": ")[2].strip('"')
        for line in (ROOT / ".github/workflows/ci.yml").read_text().splitlines()
        if "TOX_SKIP_ENV" in line
    ]
    listed = tox("list", "--no-desc", "-q", "-d", TOX_SKIP_ENV=rest).split()
    assert "another" in listed
    assert "lint" not in listed
