"""``DOCKER_HOST=ssh://…``: a real sshd on loopback, and the user's own ssh command."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from wsgi_matrix.engines.docker.client import connect
from wsgi_matrix.errors import EngineError

from tests.matrix.engines.docker.conftest import TOP
from tests.programs import program

DEADLINE = 60.0
SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
PasswordAuthentication no
StrictModes no
UsePAM no
"""
CLIENT = """\
IdentityFile {folder}/client
IdentitiesOnly yes
UserKnownHostsFile {folder}/known
"""


@pytest.fixture
def host(
    client: docker.APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An address ``ssh://…`` of this machine; ssh is the real one, with a configuration of ours."""
    if os.geteuid() != 0:
        pytest.skip("needs root, as whom sshd lets in")
    sshd, ssh = program("sshd"), program("ssh")
    for name in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=DEADLINE)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    key = " ".join((tmp_path / "host.pub").read_text().split()[:2])
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {key}\n")
    for name, text in (("server.conf", SERVER), ("client.conf", CLIENT)):
        (tmp_path / name).write_text(text.format(folder=tmp_path, port=port))
    programs = tmp_path / "bin"
    programs.mkdir()
    wrapper = programs / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(ssh)} -F {tmp_path}/client.conf "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (tmp_path / "log").touch()
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd changes its root to
    process = subprocess.Popen(
        [sshd, "-D", "-E", str(tmp_path / "log"), "-f", str(tmp_path / "server.conf")],
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + DEADLINE
        while b"listening" not in (tmp_path / "log").read_bytes():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.01)
        yield f"ssh://root@127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(DEADLINE)


def test_a_cell_on_an_engine_behind_ssh(
    host: str, client: docker.APIClient, tmp_path: Path
) -> None:
    """All that a cell takes: an archive in, a stream out, the exit status, and the volume's end."""
    if client.base_url != "http+docker://localhost":
        pytest.skip("the engine of these tests is not the one that `docker` takes here by default")
    done = subprocess.run(
        [sys.executable, "-m", "wsgi_matrix", "--build", str(tmp_path), "run", "--engine",
         "docker", "--suite", "hello", "--select", "onegate-wsgi-default-py311"],
        cwd=TOP, env={**os.environ, "DOCKER_HOST": host}, capture_output=True, text=True,
        timeout=10 * DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "matrix" / "results.json").read_text())
    assert [cell["outcome"] for cell in result["cells"]] == ["pass"]
    assert result["run"]["engine"] == "docker"


def test_a_key_that_is_not_let_in(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "client.pub").write_text("")
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineError, match=f"no connection to DOCKER_HOST={host}: .*denied"):
        connect()


@pytest.mark.parametrize("host", ["ssh://", "ssh://-oProxyCommand=x", "ssh://a:b@c", "ssh://c:x"])
def test_no_address(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineError, match=host):
        connect()
