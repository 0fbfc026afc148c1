"""``--status``: answered whatever the workers are doing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from onegate.master.status_app import StatusApp
from onegate.net.listeners import Listener
from onegate.process.scoreboard import Scoreboard

from tests.server.helpers import DEADLINE, HELLO, Client, Response, serving, wait_for, write_app
from tests.server.ports import free_port
from tests.server.processes import children, descriptors

if TYPE_CHECKING:
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


SAMPLE = re.compile(
    r'(?P<name>[a-z_]+)(?P<labels>\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="[^"\\\n]*")*\})?'
    r" (?P<value>[0-9.e+-]+)"
)


def parsed(text: str) -> dict[str, float]:
    """Samples in Prometheus' text format, read strictly: HELP, TYPE, then samples of that name."""
    samples: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for block in text.split("# HELP ")[1:]:
        first, second, *lines = block.splitlines()
        name, _, told = first.partition(" ")
        assert told.endswith("."), first
        match = re.fullmatch(rf"# TYPE {name} (gauge|counter|histogram)", second)
        assert match, second
        assert name not in kinds
        kinds[name] = match[1]
        assert name.endswith("_total") == (match[1] == "counter")
        ends = ("_bucket", "_sum", "_count") if match[1] == "histogram" else ("",)
        for line in lines:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample["name"] in [name + end for end in ends], line
            assert line.rpartition(" ")[0] not in samples
            samples[line.rpartition(" ")[0]] = float(sample["value"])
    return samples


def of(samples: dict[str, float], name: str) -> list[float]:
    """All samples of a metric."""
    return [value for key, value in samples.items() if key.partition("{")[0] == name]


class Status:
    """The second listener."""

    def __init__(self) -> None:
        self.port = free_port()
        self.options = ("--status", f"127.0.0.1:{self.port}")

    def get(self, path: str, method: str = "GET") -> Response:
        with Client(socket.create_connection(("127.0.0.1", self.port), DEADLINE)) as client:
            request = f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"
            return client.send(request.encode()).response(method)

    def metrics(self) -> dict[str, float]:
        return parsed(self.get("/metrics").text)

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
    wait_for(
        lambda: all(each["descriptors"] and each["resident_bytes"] for each in status.workers()),
        "their numbers",
    )
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
    samples = parsed(metrics)
    assert samples["onegate_workers_wanted"] == 2
    assert samples["onegate_requests_total"] == 5
    assert sum(of(samples, "onegate_worker_requests_total")) == 5
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
    assert "will be replaced" not in server.log


MANY = """
import time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hang":
        time.sleep(1000)
    if path == "/raises":
        raise RuntimeError
    status = {"/moved": "302 Found", "/missing": "404 Not Found"}.get(path, "200 OK")
    hop = [("Connection", "close")] if path == "/hop" else []
    start_response(status, [("Content-Length", "2"), *hop])
    time.sleep(0.001)
    return [b"ok"]
"""


def test_totals_only_grow_across_workers(serve: Serve) -> None:
    """Of workers that ended too, to the last request; and there are no more series than workers."""
    status = Status()
    server = serve(MANY, *status.options, "--workers", "2", "--max-requests", "10")
    grows = re.compile("_total|_bucket|_sum|_count")
    last: dict[str, float] = {}

    def look() -> dict[str, float]:
        """Nothing that counts goes back, or away."""
        now = status.metrics()
        for key, value in last.items():
            if grows.search(key):
                assert now[key] >= value, key
        last.update(now)
        return now

    for number in range(100):
        assert server.get("/missing" if number % 10 == 0 else "/").status in (200, 404)
        look()
    wait_for(lambda: look()["onegate_requests_total"] == 100, "all requests")
    assert last['onegate_responses_total{class="2xx"}'] == 90
    assert last['onegate_responses_total{class="4xx"}'] == 10
    assert last["onegate_request_duration_seconds_count"] == 100
    assert last['onegate_request_duration_seconds_bucket{le="+Inf"}'] == 100
    assert last["onegate_request_duration_seconds_sum"] >= 0.1
    assert last['onegate_worker_restarts_total{reason="retired"}'] >= 2
    assert sum(of(last, "onegate_worker_requests_total")) == 100
    # A retiring worker is there beside the one that replaces it.
    assert len(of(last, "onegate_worker_requests_total")) <= 8
    assert sum(worker["requests"] for worker in status.workers()) < 100, "of those that live"


def test_every_number_is_written_by_something(tmp_path: Path) -> None:
    """One that stays 0 whatever happens tells nobody anything: queue_seconds once did."""
    status = Status()
    config = tmp_path / "config.toml"
    config.write_text("workers = 2")
    options = ("--timeout", "4", "--max-requests", "300", "--config", str(config))
    seen: dict[str, bool] = {}

    def look() -> None:
        for worker in status.workers():
            for key, value in worker.items():
                seen[key] = seen.get(key, False) or bool(value)
        for key, value in status.metrics().items():
            seen[key] = seen.get(key, False) or bool(value)

    def told(key: str) -> None:
        def look_again() -> bool:
            look()
            return seen[key]

        wait_for(look_again, key)

    with serving(tmp_path, MANY, *status.options, *options) as server:
        for path in ("/", "/moved", "/missing", "/raises"):
            server.get(path)
        with server.connect() as idle:
            idle.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response()
            told("idle_connections")
        write_app(tmp_path, "raise RuntimeError")
        server.process.send_signal(signal.SIGHUP)
        told('onegate_reloads_total{result="failed"}')
        write_app(tmp_path, MANY)
        server.process.send_signal(signal.SIGHUP)
        told('onegate_reloads_total{result="adopted"}')
        # One that is about to end may still take a request, and is not judged by --timeout.
        wait_for(lambda: all(each["generation"] > 1 for each in status.workers()), "the new ones")
        crashes = int(status.workers()[0]["pid"])
        os.kill(crashes, signal.SIGKILL)
        told('onegate_worker_restarts_total{reason="crashed"}')
        with server.connect() as hangs:
            hangs.send(HANG)
            told("seconds_in_call")
            told('onegate_worker_restarts_total{reason="timeout"}')
        server.exchange(b"nonsense\r\n\r\n")
        told("onegate_requests_refused_total")
        assert server.get("/hop").status == 500
        told("onegate_response_heads_refused_total")
        while not seen['onegate_worker_restarts_total{reason="retired"}']:
            for _ in range(50):
                server.get()
            look()
        with server.connect() as waits:
            waits.send(b"GET / HT")
            server.process.send_signal(signal.SIGTERM)
            told("stopping")
            waits.send(b"TP/1.1\r\nHost: a\r\n\r\n").response()
        assert server.process.wait(DEADLINE) == 0
    never = {key for key, value in seen.items() if not value}
    # Another test has somebody wait there for long enough to be seen.
    never -= {f'onegate_listener_backlog{{name="http://127.0.0.1:{server.port}"}}'}
    assert {re.sub("slot=.*", "", key) for key in never} <= {
        re.sub("slot=.*", "", key) for key, value in seen.items() if value
    }


def test_the_wanted_workers_are_those_of_now(serve: Serve) -> None:
    status = Status()
    server = serve(HELLO, *status.options)
    server.process.send_signal(signal.SIGTTIN)
    wait_for(lambda: status.metrics()["onegate_workers"] == 2, "another worker")
    assert status.metrics()["onegate_workers_wanted"] == 2


def test_a_reload_from_1_to_40_workers_makes_40(tmp_path: Path) -> None:
    status = Status()
    config = tmp_path / "config.toml"
    config.write_text("workers = 1")
    with serving(tmp_path, HELLO, *status.options, "--config", str(config)) as server:
        assert server.get().status == 200
        config.write_text("workers = 40")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: status.metrics()["onegate_workers"] == 40, "40 workers", 60)
        assert len(status.workers()) == 40


def test_labels_are_escaped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        listener = Listener(sock=sock, name='a"b\\c\nd\udcff', server_name="a", server_port="80")
        told: list[str] = []
        app = StatusApp(Scoreboard(1), [listener])
        environ = {"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET"}
        content = b"".join(app(environ, lambda status, _: told.append(status)))
    assert told == ["200 OK"]
    line = rb'onegate_listener_backlog{name="a\"b\\c\nd\udcff"} 0'
    assert line in content.splitlines()


def test_the_manual_names_every_metric(serve: Serve) -> None:
    status = Status()
    serve(HELLO, *status.options)
    page = (Path(__file__).parents[2] / "docs" / "operation.md").read_text()
    served = set(re.findall(r"^# TYPE (\w+)", status.get("/metrics").text, re.MULTILINE))
    assert served == set(re.findall(r"^\| `(onegate_\w+)", page, re.MULTILINE))
