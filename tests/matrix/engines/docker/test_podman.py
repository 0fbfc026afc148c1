"""Podman behind its Docker API: a service of this test's own, on a socket of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from tests.matrix.engines.docker.conftest import TOP
from tests.matrix.helpers import PLAIN
from tests.programs import program

NOT_TOLD = {"memory, reported"}
"""What Podman 4.3 does not honour, as docs/engines.md says."""


@pytest.fixture(scope="module")
def podman(tmp_path_factory):
    """Runs `wsgi-matrix` against Podman, with the caches in build/ as ever."""
    program("podman")
    if os.geteuid() != 0:
        pytest.skip("only root's Podman is tried")
    folder = tmp_path_factory.mktemp("podman")
    socket = folder / "s"
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(
            ["podman", "system", "service", "--time=0", f"unix://{socket}"],
            cwd=folder,  # its monitors leave a file `oom` where they are
            stderr=log,
        )

    def run(*words):
        head = [sys.executable, "-m", "wsgi_matrix", "--config", PLAIN, "--build", TOP / "build"]
        return subprocess.run(
            [*head, *words, "--engine", "docker"],
            env={**os.environ, "DOCKER_HOST": f"unix://{socket}", "COLUMNS": "200", "CI": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    try:
        deadline = time.monotonic() + 120
        while not socket.exists():
            if service.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"podman's service does not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield run
    finally:
        service.terminate()
        service.wait(120)


def test_the_doctor_finds_what_the_docs_say(podman):
    done = podman("doctor")
    assert "Linux containers of Podman" in done.stdout, done.stderr
    rows = re.findall(r"^│ (.+?)\s+│.*│ (✔ yes|✘ no)", done.stdout, re.MULTILINE)
    assert len(rows) == 9
    assert {what for what, holds in rows if holds != "✔ yes"} <= NOT_TOLD
    assert done.returncode == (1 if any(holds != "✔ yes" for _, holds in rows) else 0)


def test_cells_run_and_leave_nothing(podman, tmp_path):
    there = ["podman", "ps", "--all", "--quiet", "--filter", "label=org.onegate.wsgi-matrix"]
    before = subprocess.run(there, capture_output=True, text=True, check=True).stdout
    done = podman("run", "--apps", "good,missing", "--pythons", "3.11", "--suite", "hello")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "4 cells: 2 pass, 2 error" in done.stdout
    assert "nowhere_to_be_found" in done.stdout
    value = json.loads((TOP / "build/matrix/results.json").read_text())
    small = next(c for c in value["cells"] if c["id"] == "plain-good-fds64-py311")
    assert (small["limits_observed"]["nofile"], small["limits_observed"]["nproc"]) == (64, 32)
    assert small["limits_observed"]["memory"] == 128 * 2**20
    assert subprocess.run(there, capture_output=True, text=True, check=True).stdout == before
