"""The probe as a process beside the server."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from wsgi_matrix.engines.process import probe
from wsgi_matrix.probe import protocol
from wsgi_matrix.probe.protocol import Job

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture
def port():
    """A port that nobody listens on, and nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def run(folder, job, port, seconds=120.0, watch=lambda: None):
    until = time.monotonic() + seconds
    return probe.run(folder, folder / "cell.probe", job.encode(port), until, watch)


def test_what_a_probe_wrote_is_its_report(tmp_path):
    job = Job(requests=[REQUEST], deadline=100)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _ in range(2):  # the first connection only asks whether the port is open
                client, _ = listener.accept()
                with client:
                    if client.recv(1024):
                        client.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        output = run(tmp_path, job, listener.getsockname()[1])
        thread.join(120)
    [[exchange]] = protocol.read(output, job).exchanges
    assert exchange.response == ANSWER
    assert probe.ready(tmp_path / "cell.probe")
    assert (tmp_path / "probe.pyz").read_bytes() == protocol.archive()
    assert not list(tmp_path.glob("probe.cell"))


def test_a_probe_is_given_up_after_the_deadline(tmp_path, port):
    with pytest.raises(TimeoutError):
        run(tmp_path, Job(deadline=60), port, seconds=0.2)
    assert not probe.ready(tmp_path / "cell.probe")


def test_whoever_watches_may_end_it(tmp_path, port):
    def watch():
        raise ValueError("the server is dead")

    with pytest.raises(ValueError, match="the server is dead"):
        run(tmp_path, Job(deadline=600), port, seconds=600, watch=watch)
