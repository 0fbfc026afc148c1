"""What a server does with the app is seen of the app itself, without help from the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench import check, traffic
from bench.catalogue import APP as CATALOGUE
from bench.model import App, Server
from bench.process import ROOT, Running
from bench.tools import Tools

REQUESTS = traffic.Traffic().requests(40)

# As a framework's response is: an iterable, not an iterator, with a close() of its own.
APP = """
class Response:
    def __iter__(self):
        return iter([b"Hello, World!\\n"])

    def close(self):
        pass


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "14")])
    return Response()
"""
SERVER = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

sys.path.insert(0, sys.argv[2])
from app import app

how = sys.argv[3]


def changed(environ, start_response):
    if how == "forgets to close":
        return iter(app(environ, start_response))
    if how == "drops a field":
        environ.pop("HTTP_X_FORWARDED_FOR", None)
    if how == "changes a field":
        environ["HTTP_X_REAL_IP"] = "127.0.0.1"
    if how == "leaves out what is empty":
        environ = {key: value for key, value in environ.items() if value != ""}
    return app(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = make_server("127.0.0.1", int(sys.argv[1]), changed, handler_class=Quiet)
server.request_queue_size = 64
server.serve_forever()
"""


def served(folder: Path, app: App, how: str = "as it should") -> Running:
    """A server of the standard library with ``app`` watched, that does what ``how`` says."""
    (folder / "server.py").write_text(SERVER)
    command = f"{{python}} {{state}}/server.py {{port}} {{folder}} '{how}'"
    server = Server(name="some", product="some", command=command)
    tools = Tools(
        state=folder, places={"python": sys.executable, "state": str(folder)}, versions={}
    )
    return Running(server, app, tools, [min(os.sched_getaffinity(0))], watched=True)


@pytest.mark.parametrize(("how", "closed"), [("as it should", True), ("forgets to close", False)])
def test_a_server_that_leaves_close_out_is_found_out(
    tmp_path: Path, how: str, closed: bool
) -> None:
    (tmp_path / "app.py").write_text(APP)
    app = App(name="small", folder=os.path.relpath(tmp_path, ROOT))
    with served(tmp_path, app, how) as running:
        running.wait()
        assert check.calls_close(running.port, "/hello", patience=0.3) is closed


@pytest.mark.parametrize("how", ["as it should", "leaves out what is empty"])
def test_an_environ_that_is_whole(tmp_path: Path, how: str) -> None:
    with served(tmp_path, CATALOGUE["raw"], how) as running:
        running.wait()
        check.check_environ(running.port, REQUESTS)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("drops a field", "the environ lacks HTTP_X_FORWARDED_FOR"),
        ("changes a field", "HTTP_X_REAL_IP is '127.0.0.1', not "),
    ],
)
def test_an_environ_that_is_not_what_was_sent(tmp_path: Path, how: str, message: str) -> None:
    with served(tmp_path, CATALOGUE["raw"], how) as running:
        running.wait()
        with pytest.raises(check.WrongAnswerError, match=message):
            check.check_environ(running.port, REQUESTS)


def test_the_right_responses_pass(tmp_path: Path) -> None:
    with served(tmp_path, CATALOGUE["raw"]) as running:
        running.wait()
        # It speaks HTTP/1.0 and closes every connection, as it may.
        for close in (False, True):
            check.check_traffic(running.port, REQUESTS, close=close, connections=4)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("% 1500", "% 1400", "that is not its own"),
        ('f"seen={identifier[:8]}', 'f"seen={identifier[:7]}', "a cookie that is not its own"),
        ('("X-Correlation-ID", identifier)', '("X-Other", identifier)', "an X-Correlation-ID"),
        ("200 OK", "404 Not Found", "status 404"),
        ("identifier = environ[", "identifier = environ.pop('x', 0)[", "status 500"),
    ],
)
def test_a_wrong_response_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    source = (ROOT / CATALOGUE["raw"].folder / "app.py").read_text()
    assert old in source
    (tmp_path / "app.py").write_text(source.replace(old, new))
    app = App(name="wrong", folder=os.path.relpath(tmp_path, ROOT))
    with served(tmp_path, app) as running:
        running.wait()
        with pytest.raises(check.WrongAnswerError, match=message):
            check.check_traffic(running.port, REQUESTS, close=False, connections=1)
