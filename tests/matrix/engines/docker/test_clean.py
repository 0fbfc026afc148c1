"""What a killed run leaves is removed by our label; what others need stays. Finding an engine."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from wsgi_matrix.engines.docker.client import CELL, LABEL, OWNER, connect
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.engines.docker.volumes import ours
from wsgi_matrix.errors import EngineError
from wsgi_matrix.model.axes import Cell, Limits
from wsgi_matrix.util.process_owner import owner

from tests.matrix.engines.docker.conftest import TOP, Prepared, until

RUN = """
import sys
from tests.matrix.engines.docker.conftest import ONEGATE, PYTHONS, TOP, WSGI
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.model.axes import Cell, Limits
engine = DockerEngine(TOP / "build")
cell = Cell(server=ONEGATE, app=WSGI, limits=Limits(name=sys.argv[1]), python=PYTHONS[0])
engine.prepare([cell], lambda name, detail: None)
engine.client.create_volume("wsgi-matrix-half-" + sys.argv[1], labels={
    "org.onegate.wsgi-matrix": "bundle", "org.onegate.wsgi-matrix.owner": engine._labels[
    "org.onegate.wsgi-matrix.owner"]})
with engine.open(cell) as running:
    running.observed()
    print("open", flush=True)
    sys.stdin.read()
"""


def containers(client: docker.APIClient, label: str) -> list[str]:
    return [c["Id"] for c in client.containers(all=True, filters={"label": label})]


@pytest.fixture
def bystanders(client: docker.APIClient, prepared: Prepared) -> Iterator[list[str]]:
    """A container of somebody else, and one of a run that is alive: this one."""
    prepared()
    image = next(i["Id"] for i in client.images(filters={"label": f"{LABEL}=base"}))
    labels = [{"org.onegate.test": "other"}, {LABEL: "cell", OWNER: owner(), CELL: "living"}]
    # Both have the labels of their image, too.
    made = [client.create_container(image, "true", labels=each)["Id"] for each in labels]
    yield made
    for container in made:
        client.remove_container(container, force=True)


def test_what_a_killed_run_left_is_removed_and_nothing_else(
    engine: DockerEngine, prepared: Prepared, bystanders: list[str]
) -> None:
    name = f"killed{os.getpid()}"
    cell: Cell = prepared(limits=Limits(name=name))
    with subprocess.Popen(
        [sys.executable, "-c", RUN, name],
        cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert run.stdout.readline() == b"open\n"
        engine.clean()
        assert len(containers(engine.client, f"{CELL}={cell.id}")) == 2, "it still runs"
        assert f"wsgi-matrix-half-{name}" in ours(engine.client)
        run.send_signal(signal.SIGKILL)
    whole = {each for each in ours(engine.client) if f"half-{name}" not in each}
    images = {each["Id"] for each in engine.client.images(filters={"label": LABEL})}
    # Another run on this engine may clean up before we do.
    engine.clean()
    until(lambda: containers(engine.client, f"{CELL}={cell.id}") == [])
    assert f"wsgi-matrix-half-{name}" not in ours(engine.client)
    assert whole <= set(ours(engine.client))
    assert images <= {each["Id"] for each in engine.client.images(filters={"label": LABEL})}
    there = {each["Id"] for each in engine.client.containers(all=True)}
    assert set(bystanders) <= there


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Neither DOCKER_HOST nor a context."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return monkeypatch


def test_no_engine(nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(EngineError, match=r"DOCKER_HOST=tcp://127.0.0.1:1 .*`make engine`"):
        connect()


def test_an_engine_that_is_too_old(nowhere: pytest.MonkeyPatch) -> None:
    class Old(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"ApiVersion": "1.39", "Os": "linux", "Version": "18.09"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Old) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        nowhere.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        with pytest.raises(EngineError, match=r"has API 1.39, but at least 1.40 .* update it"):
            connect()
        server.shutdown()
        thread.join()


def test_contexts_are_honoured(client: docker.APIClient, nowhere: pytest.MonkeyPatch) -> None:
    if not client.base_url.startswith("http+docker://"):
        pytest.skip("the engine of these tests is not at a local socket")
    folder = Path(os.environ["DOCKER_CONFIG"])
    (folder / "config.json").write_text("{}")
    docker.context.Context("here", host="unix:///var/run/docker.sock").save()
    docker.context.Context("away", host="tcp://127.0.0.1:1").save()
    nowhere.setenv("DOCKER_CONTEXT", "here")
    connect().close()
    nowhere.delenv("DOCKER_CONTEXT")
    (folder / "config.json").write_text(json.dumps({"currentContext": "away"}))
    with pytest.raises(EngineError, match=r"127.0.0.1:1 \(context away\)"):
        connect()
    nowhere.setenv("DOCKER_CONTEXT", "unheard-of")
    with pytest.raises(EngineError, match="context does not exist"):
        connect()
