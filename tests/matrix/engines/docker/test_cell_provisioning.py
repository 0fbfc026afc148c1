"""Servers of `peers/`, built from what was resolved here, in containers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wsgi_matrix.config import server_toml
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.errors import CellError
from wsgi_matrix.probe.protocol import Job

from .conftest import HELLO, TOP, Prepared

PEERS = {server.name: server for server in server_toml.read(TOP / "peers")}


def test_a_server_from_wheels_answers_after_its_ready_sign(
    engine: DockerEngine, prepared: Prepared
) -> None:
    cell = prepared(
        server=replace(PEERS["waitress"], ready_log=r"Serving on http://127\.0\.0\.1:8000")
    )
    with engine.open(cell) as running:
        report = running.probe(Job(requests=[HELLO], deadline=120))
        stopped = running.stop(10)
    [[exchange]] = report.exchanges
    assert exchange.response.endswith(b"Hello, World!\n")
    assert report.burst.clients == 0
    assert stopped.exit_status == 0


def test_a_ready_sign_that_never_comes_is_told_with_the_log(
    engine: DockerEngine, prepared: Prepared
) -> None:
    cell = prepared(server=replace(PEERS["waitress"], ready_log="^never said$"))
    with (
        engine.open(cell) as running,
        pytest.raises(CellError, match="did not match") as caught,
    ):
        running.probe(Job(requests=[HELLO], clients=0, deadline=2))
    assert "Serving on" in caught.value.log
