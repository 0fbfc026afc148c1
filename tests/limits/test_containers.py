"""The limits of containers: the image as it is built, read-only, under an engine's ulimits.

Clients run in a second container in the server's network, with ulimits that are not the server's.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

docker = pytest.importorskip("docker")
pytest.importorskip("wsgi_matrix")

from wsgi_matrix.engines.api import Running  # noqa: E402 - where there are these two
from wsgi_matrix.engines.docker.client import CELL  # noqa: E402
from wsgi_matrix.engines.docker.engine import DockerEngine  # noqa: E402
from wsgi_matrix.errors import EngineError  # noqa: E402 - where there are these two
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server  # noqa: E402
from wsgi_matrix.probe.protocol import Job  # noqa: E402

from tests.limits.clients import BAD  # noqa: E402
from tests.server.helpers import wait_for  # noqa: E402
from tests.server.loads import ECHO  # noqa: E402

TOP = Path(__file__).parents[2]
CLIENTS = Path(__file__).with_name("clients.py").read_text()
PYTHON = Python(version="3.11", images=("python:3.11-slim",), debian="bookworm")
ARGS = ("{app}", "--chdir", "{folder}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}")
NEVER = ("--head-timeout", "1000", "--body-timeout", "1000", "--keep-alive", "1000")
"""No place becomes free by a time-out."""
ONEGATE = Server(name="onegate", context=TOP, args=(*ARGS, *NEVER))
MIB = 1 << 20
LOOK = """
import json, os
told = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        state, parent = open(f"/proc/{pid}/stat").read().rpartition(") ")[2].split()[:2]
        if pid == str(os.getpid()) or pid != "1" and parent != "1":
            continue
        memory = [int(line.split()[1]) for line in open(f"/proc/{pid}/status")
                  if line.startswith("RssAnon")]
        told[pid] = [state, len(os.listdir(f"/proc/{pid}/fd")), *memory]
    except OSError:
        continue
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    try:
        engine = DockerEngine(TOP / "build")
    except EngineError as error:
        if os.environ.get("WSGI_MATRIX_REQUIRE_DOCKER", "") not in ("", "0"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield engine
    engine.close()


class Contained:
    """A server in a container."""

    def __init__(self, engine: DockerEngine, cell: Cell, running: Running) -> None:
        self.running = running
        self._client: Any = engine.client
        labels = [f"{CELL}={cell.id}", "org.onegate.wsgi-matrix=cell"]
        [found] = self._client.containers(all=True, filters={"label": labels})
        self.id = found["Id"]
        self.config = self._client.inspect_container(self.id)

    @property
    def log(self) -> str:
        return str(self._client.logs(self.id).decode())

    def clients(self, *arguments: str) -> dict[str, Any]:
        """What ``clients.py`` tells of a run in the server's network."""
        host = self._client.create_host_config(
            network_mode=f"container:{self.id}",
            read_only=True,
            ulimits=[docker.types.Ulimit(name="nofile", soft=4096, hard=4096)],
        )
        container = self._client.create_container(
            self.config["Image"],
            entrypoint=["python3", "-c", CLIENTS],
            command=["127.0.0.1", "8000", *arguments],
            host_config=host,
            labels={"org.onegate.test": ""},
        )["Id"]
        try:
            self._client.start(container)
            wait_for(
                lambda: not self._client.inspect_container(container)["State"]["Running"],
                "the end of the clients",
                300,
            )
            output = self._client.logs(container).decode()
        finally:
            self._client.remove_container(container, force=True)
        told: dict[str, Any] = json.loads(output.splitlines()[-1])
        return told

    def look(self) -> dict[str, list[Any]]:
        """State, descriptors and KiB of the master (1) and of each worker."""
        command = self._client.exec_create(self.id, ["python3", "-c", LOOK])["Id"]
        told: dict[str, list[Any]] = json.loads(self._client.exec_start(command))
        return told


@contextlib.contextmanager
def contained(
    engine: DockerEngine, folder: Path, limits: Limits, source: str = ECHO
) -> Iterator[Contained]:
    app = folder / "app"
    app.mkdir()
    (app / "app.py").write_text(source)
    cell = Cell(server=ONEGATE, app=App(name="app", path=app), limits=limits, python=PYTHON)
    engine.prepare([cell], lambda name, detail: None)
    with engine.open(cell) as running:
        running.probe(Job(requests=[b"GET /0 HTTP/1.1\r\nHost: a\r\n\r\n"], deadline=120))
        yield Contained(engine, cell, running)


def as_before(server: Contained, before: dict[str, list[Any]]) -> None:
    """Descriptors, no zombie, the same processes, no more memory than an arena."""

    def settled() -> bool:
        now = server.look()
        return {pid: each[1] for pid, each in now.items()} == {
            pid: each[1] for pid, each in before.items()
        }

    wait_for(settled, "descriptors as before")
    now = server.look()
    assert "Z" not in {state for state, *_ in now.values()}
    for pid, (_, _, memory) in now.items():
        assert memory - before[pid][2] <= 1024, (before, now)


@pytest.mark.parametrize(
    ("limits", "count", "rounds"),
    [
        pytest.param(Limits(name="a", nofile=256), 300, 10, id="300_clients_at_nofile_256"),
        pytest.param(Limits(name="b", nproc=400), 500, 10, id="500_clients_at_nproc_400"),
        pytest.param(Limits(name="c", nofile=64), 500, 10, id="5000_in_all_through_nofile_64"),
    ],
)
def test_clients(
    engine: DockerEngine, tmp_path: Path, limits: Limits, count: int, rounds: int
) -> None:
    with contained(engine, tmp_path, limits) as server:
        observed = server.running.observed()
        assert observed.nofile == (limits.nofile or observed.nofile)
        assert observed.nproc == (limits.nproc or observed.nproc)
        server.clients("ask", str(count), "3")  # pools and caches are filled by then
        before = server.look()
        told = server.clients("ask", str(count), str(rounds))
        assert told == {"right": count * rounds, "wrong": []}
        as_before(server, before)


@pytest.mark.parametrize("kind", BAD)
def test_1000_bad_clients_at_nofile_256(engine: DockerEngine, tmp_path: Path, kind: str) -> None:
    with contained(engine, tmp_path, Limits(name=kind, nofile=256)) as server:
        server.clients("ask", "300", "3")
        before = server.look()
        told = server.clients("bad", kind, "1000")
        assert told["turned_away"]
        as_before(server, before)


GROWS = """
kept = []

def app(environ, start_response):
    if environ["PATH_INFO"] == "/grow":
        while True:
            kept.append(bytearray(b"x" * (8 << 20)))
    start_response("200 OK", [("Content-Length", "2")])
    return [environ["PATH_INFO"].encode()]
"""


def test_a_worker_that_the_kernel_kills_at_128_mib_is_named_as_such(
    engine: DockerEngine, tmp_path: Path
) -> None:
    limits = Limits(name="memory", memory=128 * MIB)
    with contained(engine, tmp_path, limits, GROWS) as server:
        assert server.clients("one", "GET", "/grow", "0") == {"line": ""}
        wait_for(lambda: "was killed by the kernel (out of memory)" in server.log, "its name")
        assert server.clients("ask", "5", "1")["right"] == 5


def test_a_read_only_root_without_a_writable_tmp(engine: DockerEngine, tmp_path: Path) -> None:
    with contained(engine, tmp_path, Limits(name="read-only")) as server:
        assert server.config["HostConfig"]["ReadonlyRootfs"]
        assert not server.config["HostConfig"].get("Tmpfs")
        assert server.log.count("no directory to spool to (/tmp: ") == 1
        large = server.clients("one", "POST", "/large", "10000000")
        assert large["line"].startswith("HTTP/1.1 413 ")
        assert server.clients("ask", "5", "1")["right"] == 5
