"""The site, built once, with a made-up grid as its front page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from wsgi_matrix.results import results_json

from docs.generate import grid
from docs.site import ROOT
from tests.browser import made_up

Build = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def small() -> grid.Value:
    """A small run with every outcome and with an answer that means harm, as results.json."""
    value: grid.Value = json.loads(results_json.dumps(results_json.results(made_up.small())))
    return value


@pytest.fixture(scope="session")
def grid_data(small: grid.Value, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is kept of :func:`small`, as a file."""
    path = tmp_path_factory.mktemp("grid") / "grid.json"
    path.write_text(grid.dumps(grid.pack([small], {"onegate": "onegate 0.1.0"})), "utf-8")
    return path


@pytest.fixture(scope="session")
def build(grid_data: Path) -> Build:
    """``build(output, "--source", …)``: run ``python -m docs.site``."""
    pytest.importorskip("sphinx", reason="docs/site/requirements.txt is not installed")

    def run(output: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "docs.site", "--grid", grid_data, output, *words]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
        )

    return run


@pytest.fixture(scope="session")
def site(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the built site: no warning, no dead link, nothing of the network."""
    output = tmp_path_factory.mktemp("site") / "site"
    done = build(output)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return output
