"""An engine for the tests of containers: skipped where none answers, unless that is demanded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.errors import EngineError
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server

from tests.matrix.helpers import ROOT

TOP = ROOT
PYTHONS = (
    Python(version="3.11", images=("python:3.11-slim",), debian="bookworm"),
    Python(version="3.13", images=("python:3.13-slim",), debian="trixie"),
    Python(version="3.15", images=("python:3.15-slim",), debian="forky"),
)
ARGS = ("{app}", "--chdir", "{folder}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}")
ONEGATE = Server(name="onegate", context=TOP, args=ARGS)
WSGI = App(name="wsgi", path=TOP / "apps" / "wsgiapp")
HELLO = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

Prepared = Callable[..., Cell]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "docker: needs a Docker engine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.docker)


def an_engine() -> DockerEngine:
    try:
        return DockerEngine(TOP / "build")
    except EngineError as error:
        if os.environ.get("WSGI_MATRIX_REQUIRE_DOCKER", "") not in ("", "0"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    engine = an_engine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def client(engine: DockerEngine) -> docker.APIClient:
    return engine.client


@pytest.fixture(scope="session")
def prepared(engine: DockerEngine) -> Prepared:
    """Make a cell, prepare it, give it back."""

    def prepare(
        app: App = WSGI,
        limits: Limits | None = None,
        python: Python = PYTHONS[0],
        server: Server = ONEGATE,
    ) -> Cell:
        cell = Cell(server=server, app=app, limits=limits or Limits(), python=python)
        engine.prepare([cell], lambda name, detail: None)
        return cell

    return prepare


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for ``condition``, failing after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def run(client: docker.APIClient, image: str, *command: str, **options: object) -> str:
    """The output of a command that must succeed, run in a read-only container of ``image``."""
    host = client.create_host_config(network_mode="none", read_only=True, **options)
    container = client.create_container(
        image,
        entrypoint=list(command[:1]),
        command=list(command[1:]),
        host_config=host,
        labels={"org.onegate.test": ""},
    )["Id"]
    try:
        client.start(container)
        until(lambda: not client.inspect_container(container)["State"]["Running"])
        output = client.logs(container).decode()
        assert client.inspect_container(container)["State"]["ExitCode"] == 0, output
        return str(output)
    finally:
        client.remove_container(container, force=True)
