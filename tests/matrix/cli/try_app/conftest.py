"""Shared by the tests of `wsgi-matrix try`: the command in a folder of its own, and its result."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from click.testing import CliRunner
from wsgi_matrix.cli import main
from wsgi_matrix.engines.docker.client import connect
from wsgi_matrix.errors import EngineError

from tests.matrix.helpers import ROOT

APPS = Path(__file__).parent / "apps"
TOP = ROOT
PROGRAM = (sys.executable, "-m", "wsgi_matrix")


@dataclass(frozen=True)
class Done:
    """What a run came to."""

    code: int
    out: str
    err: str
    folder: Path
    pid: int = 0
    """Of the command, where it was a process of its own."""

    @property
    def results(self) -> Path:
        """The directory that the run says that its report is in."""
        line = next(each for each in self.out.splitlines() if each.startswith("report: "))
        # Where it is below the working directory, from there.
        return self.folder / Path(line.removeprefix("report: ")).parent

    @property
    def result(self) -> dict[str, Any]:
        """``results.json``."""
        return json.loads(self.report("results.json"))

    def report(self, name: str) -> str:
        """A report of the run, by the name of its file."""
        return (self.results / name).read_text(encoding="utf-8")

    @property
    def complaint(self) -> str:
        """The one line about what is wrong."""
        assert "Traceback" not in self.err
        return self.err.splitlines()[-1]

    def outcomes(self, check: str) -> dict[str, str]:
        """By server: what became of a check."""
        return {
            cell["server"]: found["outcome"]
            for cell in self.result["cells"]
            for found in cell["checks"]
            if found["id"] == check
        }

    def detail(self, check: str, server: str) -> str:
        """What was found."""
        return next(
            found["detail"]
            for cell in self.result["cells"]
            for found in cell["checks"]
            if found["id"] == check and cell["server"] == server
        )

    def answer(self, check: str, server: str) -> str:
        """The content that was answered, as text."""
        for cell in self.result["cells"]:
            if cell["server"] == server:
                lines = cell["evidence"][check]
                raw = b"".join(
                    base64.b64decode(x["data"]) for x in lines if x["what"] == "received"
                )
                return raw.partition(b"\r\n\r\n")[2].decode()
        raise AssertionError(server)


# Processes are what most tests here are about; that CI demands containers is another matter.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """Caches of bundles and wheels, the same for all tests."""
    return TOP / "build" / "try-tests"


@pytest.fixture(scope="session")
def containers() -> Iterator[docker.APIClient]:
    """The engine; a test that needs it is skipped where none answers, unless that is demanded."""
    try:
        client = connect()
    except EngineError as problem:
        if os.environ.get("WSGI_MATRIX_REQUIRE_DOCKER", "") not in ("", "0"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    with contextlib.closing(client):
        yield client


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with the shop."""
    place = tmp_path / "my shop; $(rm) ü"
    shutil.copytree(APPS / "plain", place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.fixture
def command(folder, cache):
    """`command("try", "shop:app", …)` → Done. Results go to a folder of the test's own."""

    def run(*words, cwd=folder, env=None, timeout=500) -> Done:
        build = folder / "build"
        build.mkdir(exist_ok=True)
        for shared in ("bundles", "libs", "servers", "pythons", "locks"):
            (cache / shared).mkdir(parents=True, exist_ok=True)
            if not (build / shared).exists():
                (build / shared).symlink_to(cache / shared)
        with subprocess.Popen(
            [*PROGRAM, "--build", build, *words],
            cwd=cwd,
            env={**ENVIRONMENT, "NO_COLOR": "1", "COLUMNS": "160", "CI": "1", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return Done(process.returncode, out, err, folder, process.pid)

    return run


@pytest.fixture
def inside(folder, monkeypatch):
    """`inside("try", …)` → Done, without a process of its own: for what goes wrong at once."""

    def run(*words) -> Done:
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(main, ["--build", str(folder / "build"), *words])
        return Done(result.exit_code, result.stdout, result.stderr, folder)

    handler = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def try_shop(command):
    """`try_shop("/", …)`: the shop under two servers, as processes."""

    def run(*paths, options=(), servers="onegate,waitress", engine="process", **settings) -> Done:
        traffic = [word for path in paths for word in ("--traffic", path)]
        words = ("try", "shop:app", "--engine", engine, "--servers", servers)
        return command(*words, *traffic, *options, **settings)

    return run
