"""An engine that goes away while a run goes on: what was judged until then is not lost.

The engine of this machine is others' too. What goes away is a socket in front of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import pytest
from wsgi_matrix.results import results_json

from tests.matrix.helpers import PLAIN

PROGRAM = (sys.executable, "-m", "wsgi_matrix")


class Front:
    """A socket in front of the engine's, until it is cut."""

    def __init__(self, path: Path, engine: str) -> None:
        self.address, self._engine = f"unix://{path}", engine
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._engine)
                with self._lock:
                    self._open += [client, engine]
                threading.Thread(target=self._pass, args=(client, engine), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        """Octets in both directions, with the half-close that ends a probe's job."""
        ways = {one: other, other: one}
        with contextlib.suppress(OSError, ValueError):
            while ways:
                for source in select.select(list(ways), [], [])[0]:
                    if part := source.recv(65536):
                        ways[source].sendall(part)
                    else:
                        ways.pop(source).shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """No connection any more, old or new."""
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()


@pytest.fixture
def front(client, tmp_path):
    path = client.base_url.removeprefix("http+docker://")
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if "localhost" not in path or not engine.startswith("unix://"):
        pytest.skip("the engine has no socket here that another could stand before")
    made = Front(tmp_path / "s", engine.removeprefix("unix://"))
    yield made
    made.cut()


def test_an_engine_that_goes_away_leaves_a_partial_report(front, tmp_path, request):
    build = tmp_path / "build"
    head = [*PROGRAM, "--config", PLAIN, "--build", build]
    request.addfinalizer(
        lambda: subprocess.run([*head, "clean", "--engine", "docker"], check=True, timeout=300)
    )
    words = ("run", "--engine", "docker", "--pythons", "3.11", "--limits", "default")
    process = subprocess.Popen(
        [*head, *words, "--apps", "good,hangs", "--jobs", "1"],
        env={**os.environ, "DOCKER_HOST": front.address, "CI": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            for line in process.stderr:
                if "[1/2]" in line:  # the other one hangs until it is given up
                    front.cut()
                    break
            output, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 4, errors
    assert "Traceback" not in output + errors
    value = json.loads((build / "matrix/results.json").read_text())
    jsonschema.validate(value, results_json.schema())
    assert value["run"]["partial_reason"] == "the engine went away"
    assert value["cells"][0]["outcome"] == "pass"
    assert {cell["outcome"] for cell in value["cells"][1:]} <= {"error"}
    assert "PARTIAL (the engine went away)" in output


def test_an_engine_that_goes_away_before_there_is_a_cell_is_one_line(front, tmp_path):
    """The first image that has to be made is what it goes away in."""
    top = tmp_path / "matrix"
    shutil.copytree(PLAIN.parent / "plainserver", top / "plainserver")
    (top / "plainserver" / "fresh").write_text(str(tmp_path))
    (top / "apps").symlink_to(PLAIN.parent / "apps")
    (top / "matrix.toml").write_text(PLAIN.read_text())
    words = ["run", "--engine", "docker", "--pythons", "3.11", "--apps", "good"]
    process = subprocess.Popen(
        [*PROGRAM, "--config", top / "matrix.toml", "--build", tmp_path / "build", *words],
        env={**os.environ, "DOCKER_HOST": front.address, "CI": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            for line in process.stderr:
                if "building plain" in line:
                    front.cut()
                    break
            output, errors = process.communicate(timeout=300)
        finally:
            process.send_signal(signal.SIGKILL)
    assert (process.returncode, output) == (4, ""), errors
    assert "the engine went away" in errors.splitlines()[-1]
    assert "Traceback" not in errors
