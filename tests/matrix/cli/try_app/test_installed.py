"""A newcomer's path: `pip install`, then an app of ten lines, without and with containers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from .conftest import ENVIRONMENT, TOP

APP = """
from html import escape
from urllib.parse import parse_qs


def app(environ, start_response):
    name = parse_qs(environ["QUERY_STRING"]).get("name", ["world"])[0]
    body = f"<p>Hello, {escape(name)}!</p>".encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [body]
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """`wsgi-matrix`, installed as a wheel that was built from an sdist, far from the repository."""
    place = tmp_path_factory.mktemp("installed")
    tool = uv.find_uv_bin()
    environment = {**os.environ, "UV_NO_CONFIG": "1"}

    def run(*words):
        subprocess.run([tool, *words], check=True, env=environment, capture_output=True)

    run("build", "--sdist", str(TOP / "matrix"), "--out-dir", str(place))
    [sdist] = place.glob("*.tar.gz")
    run("venv", "--python", sys.executable, str(place / "venv"))
    run("pip", "install", "--python", str(place / "venv/bin/python"), str(sdist))
    return place / "venv" / "bin" / "wsgi-matrix"


@pytest.fixture
def newcomer(program, tmp_path):
    """`newcomer("--engine", …)`: in a folder with nothing but the app."""

    def run(*words):
        (tmp_path / "hello.py").write_text(APP)
        return subprocess.run(
            [program, "try", "hello:app", "--traffic", "/", "--traffic", "/?name=<you>", *words],
            cwd=tmp_path,
            env={**ENVIRONMENT, "XDG_CACHE_HOME": str(TOP / "build" / "newcomer")},
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )

    return run


def test_the_servers_are_in_the_distribution(program):
    code = "from wsgi_matrix.config import builtin; print(builtin.PACKED)"
    python = program.with_name("python")
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    packed = Path(said.stdout.strip())
    assert (packed / "server/onegate/cli.py").is_file()
    assert (packed / "peers/gunicorn/server.toml").is_file()
    assert not list(packed.rglob("__pycache__"))


def test_without_containers(newcomer, tmp_path):
    done = newcomer("--engine", "process")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 cells: 3 pass" in done.stdout
    assert "NOT containers" in done.stdout
    # Nothing is left in their folder.
    assert {path.name for path in tmp_path.iterdir()} == {"hello.py"}


def test_with_containers(newcomer, containers):
    done = newcomer("--engine", "docker")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 cells: 3 pass" in done.stdout
    assert "Linux containers" in done.stdout
