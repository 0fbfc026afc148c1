"""``--status``: answered whatever the workers are doing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from typing import TYPE_CHECKING

from tests.server.helpers import DEADLINE, HELLO, Client, Response, serving, wait_for
from tests.server.ports import free_port
from tests.server.processes import children, descriptors

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve

HANGS = """
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    if environ["PATH_INFO"] == "/hang":
        with open("called", "a") as file:
            file.write("x")
        Path("gate").read_bytes()
    return [b"ok"]
"""
HANG = b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"


class Status:
    """The second listener."""

    def __init__(self) -> None:
        self.port = free_port()
        self.options = ("--status", f"127.0.0.1:{self.port}")

    def get(self, path: str, method: str = "GET") -> Response:
        with Client(socket.create_connection(("127.0.0.1", self.port), DEADLINE)) as client:
            request = f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"
            return client.send(request.encode()).response(method)

    def workers(self) -> list[dict[str, float]]:
        workers: list[dict[str, float]] = json.loads(self.get("/status").content)["workers"]
        return workers


def test_the_four_pages(serve: Serve) -> None:
    status = Status()
    server = serve(HELLO, *status.options, "--workers", "2")
    for _ in range(5):
        assert server.get().status == 200
    wait_for(lambda: len([w for w in status.workers() if w["serves"]]) == 2, "two workers")
    assert status.get("/live").text == "live\n"
    assert status.get("/ready").text == "ready\n"
    wait_for(lambda: sum(worker["requests"] for worker in status.workers()) == 5, "their count")
    wait_for(lambda: all(worker["descriptors"] for worker in status.workers()), "their numbers")
    report = json.loads(status.get("/status").content)
    assert report["master"] == server.process.pid
    for worker in report["workers"]:
        assert worker["pid"] in children(server.process.pid)
        assert 0 < worker["connection_budget"] < worker["nofile"]
        assert worker["descriptors"] == descriptors(int(worker["pid"]))
        assert worker["resident_bytes"] > 1 << 20
    [listener] = report["listeners"]
    assert listener == {
        "name": f"http://127.0.0.1:{server.port}",
        "backlog": 0,
        "backlog_limit": listener["backlog_limit"],
    }
    assert listener["backlog_limit"] > 0
    metrics = status.get("/metrics").text
    # The text format of Prometheus: a comment, or a name with labels and a number.
    for line in metrics.splitlines():
        assert re.fullmatch(r'# TYPE \w+ (gauge|counter)|\w+(\{\w+="[^"\\]*"\})? [0-9.e+-]+', line)
    assert "\nonegate_workers_wanted 2\n" in metrics
    counts = re.findall(r"onegate_worker_requests_total\{.*\} (\d+)", metrics)
    assert sum(map(int, counts)) == 5
    assert status.get("/").status == 404
    assert status.get("/live", "POST").status == 405
    assert status.get("/live", "HEAD").status == 200


def test_it_answers_while_every_worker_is_busy(serve: Serve) -> None:
    status = Status()
    server = serve(HANGS, *status.options, "--workers", "2")
    os.mkfifo(server.folder / "gate")
    called = server.folder / "called"
    clients = []

    def all_busy() -> bool:
        clients.append(server.connect().send(HANG))
        return called.exists() and called.read_text() == "xx"

    wait_for(all_busy, "two calls")
    assert status.get("/live").status == 200
    wait_for(
        lambda: json.loads(status.get("/status").content)["listeners"][0]["backlog"] > 0,
        "those who wait",
    )
    assert status.get("/ready").status == 200
    for pid in children(server.process.pid):
        os.kill(pid, signal.SIGKILL)  # releases them all at once
    for client in clients:
        client.sock.close()


def test_ready_is_503_while_draining(tmp_path: Path) -> None:
    status = Status()
    with serving(tmp_path, HELLO, *status.options, "--drain-delay", "1000") as server:
        assert server.get().status == 200
        assert status.get("/ready").status == 200
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping gracefully")
        assert status.get("/ready").status == 503
        assert status.get("/live").status == 200
        assert server.get().status == 200
        assert server.stop(signal.SIGINT) == 0


def test_it_goes_on_until_the_last_answer_is_given(tmp_path: Path) -> None:
    status = Status()
    with serving(tmp_path, HANGS, *status.options) as server:
        os.mkfifo(tmp_path / "gate")
        with server.connect() as client:
            client.send(HANG)
            wait_for((tmp_path / "called").exists, "the call")
            server.process.send_signal(signal.SIGTERM)
            server.wait_for_log("stopping gracefully")
            assert status.get("/ready").status == 503
            assert status.get("/live").status == 200
            with (tmp_path / "gate").open("w"):
                pass
            assert client.response().content == b"ok"
        assert server.process.wait(DEADLINE) == 0


def test_it_is_replaced_when_it_dies(serve: Serve) -> None:
    status = Status()
    server = serve(HELLO, *status.options)
    assert server.get().status == 200
    assert status.get("/live").status == 200
    [worker] = {int(worker["pid"]) for worker in status.workers()}
    [process] = children(server.process.pid).keys() - {worker}
    os.kill(process, signal.SIGKILL)
    server.wait_for_log(f"status process {process} was killed by SIGKILL")
    wait_for(lambda: status.get("/live").status == 200, "the next one")
    assert worker in children(server.process.pid)


def test_options_for_the_application_are_not_for_it(serve: Serve) -> None:
    status = Status()
    server = serve(HELLO, *status.options, "--max-requests", "1000", "--root-path", "/app")
    for _ in range(5):
        assert status.get("/live").status == 200
    assert "is to be replaced" not in server.log
