"""A cell in containers: isolated, limited, unchanged, and gone afterwards."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import docker
import pytest
from wsgi_matrix.engines.docker.client import CELL
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.axes import App, Cell, Limits
from wsgi_matrix.model.results import Observed
from wsgi_matrix.probe.protocol import Job

from tests.matrix.engines.docker.conftest import (
    HELLO,
    ONEGATE,
    PYTHONS,
    WSGI,
    Prepared,
    an_engine,
    until,
)

LIMITS = Limits(name="some", nofile=256, nproc=50, memory=128 * 2**20, clients=20)

LATE = """
import time
deadline = time.monotonic() + 120
while time.monotonic() < deadline:
    with open("/proc/net/tcp") as connections:
        if any(":1F40 " in line and " 01 " in line for line in connections):
            break  # somebody has connected to port 8000
    time.sleep(0.01)
raise RuntimeError("no such luck")
"""
"""Cannot be loaded, and says so only when its port has been found open."""


def app(folder: Path, source: str) -> App:
    folder.mkdir()
    (folder / "app.py").write_text(source)
    return App(name=folder.name, path=folder)


def left(client: docker.APIClient, cell: str) -> list[str]:
    found = client.containers(all=True, filters={"label": f"{CELL}={cell}"})
    return [container["Id"] for container in found]


def test_a_cell_from_start_to_end(engine: DockerEngine, prepared: Prepared) -> None:
    cell = prepared(limits=LIMITS)
    with engine.open(cell) as running:
        assert running.observed() == Observed(nofile=256, nproc=50, memory=128 * 2**20)
        report = running.probe(Job(requests=[HELLO], repeat=2, clients=20, deadline=120))
        stopped = running.stop(10)
    [[first, second]], burst = report.exchanges, report.burst
    assert first.response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.response.endswith(b"\r\n\r\nHello, World!\n")
    assert not first.error
    assert not second.error
    assert (sum(burst.responses.values()), burst.errors) == (20, {})
    assert stopped.changed == ()
    assert not stopped.oom_killed
    assert "listens on" in stopped.log
    until(lambda: left(engine.client, cell.id) == [])


def test_a_server_that_dies_at_start_says_why(
    engine: DockerEngine, prepared: Prepared, tmp_path: Path
) -> None:
    cell = prepared(app(tmp_path / "dies", "raise RuntimeError('no such luck')\n"))
    with engine.open(cell) as running, pytest.raises(CellError, match="server exited") as caught:
        running.probe(Job(requests=[HELLO], clients=1, deadline=120))
    assert caught.value.exit_status not in (0, None)
    assert "no such luck" in caught.value.log


def test_a_server_that_dies_with_its_port_open_says_why(
    engine: DockerEngine, prepared: Prepared, tmp_path: Path
) -> None:
    cell = prepared(app(tmp_path / "late", LATE))
    with engine.open(cell) as running, pytest.raises(CellError, match="server exited") as caught:
        running.probe(Job(requests=[HELLO], clients=1, deadline=120))
    assert "no such luck" in caught.value.log


def test_a_server_that_does_not_come_up_meets_the_deadline(
    engine: DockerEngine, prepared: Prepared, tmp_path: Path
) -> None:
    cell = prepared(app(tmp_path / "sleeps", "import threading\nthreading.Event().wait()\n"))
    with engine.open(cell) as running:
        try:
            [[exchange]] = running.probe(Job(requests=[HELLO], clients=1, deadline=2)).exchanges
            assert exchange.error, "its port was open, but nobody answered"
        except CellError as error:
            assert "within 2 s" in str(error)  # noqa: PT017 - either end is a right one
        stopped = running.stop(0.2)
    assert stopped.exit_status is not None
    until(lambda: left(engine.client, cell.id) == [])


def test_want_of_memory_is_reported(
    engine: DockerEngine, prepared: Prepared, tmp_path: Path
) -> None:
    limits = Limits(name="small", memory=64 * 2**20)
    greedy = app(tmp_path / "greedy", "taken = b'x' * 2**30\ndef app(*_): ...\n")
    with engine.open(prepared(greedy, limits)) as running:
        with contextlib.suppress(CellError):
            running.probe(Job(requests=[HELLO], clients=1, deadline=60))
        assert running.stop(1).oom_killed


def test_an_interrupt_ends_open_cells(engine: DockerEngine, tmp_path: Path) -> None:
    never = app(tmp_path / "never", "import threading\nthreading.Event().wait()\n")
    cell = Cell(server=ONEGATE, app=never, limits=Limits(name="abort"), python=PYTHONS[0])
    other = an_engine()
    other.prepare([cell], lambda name, detail: None)
    ended: list[CellError] = []
    started = threading.Event()

    def wait_long() -> None:
        with other.open(cell) as running:
            running.observed()
            started.set()
            try:
                running.probe(Job(requests=[HELLO], clients=1, deadline=600))
            except CellError as error:
                ended.append(error)

    thread = threading.Thread(target=wait_long)
    thread.start()
    assert started.wait(120)
    other.abort()
    thread.join(120)
    assert not thread.is_alive()
    assert len(ended) == 1
    other.close()
    assert left(engine.client, cell.id) == []


def test_the_baseline_is_measured(engine: DockerEngine, prepared: Prepared) -> None:
    measured = engine.baseline(prepared(WSGI))
    assert set(measured) == {"container", "import"}
    assert min(measured.values()) > 0
