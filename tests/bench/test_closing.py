"""Whether a server ends what the app returned is seen of the app itself, without help from it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from bench import check
from bench.model import App, Server
from bench.process import ROOT, Running
from bench.tools import Tools

if TYPE_CHECKING:
    from pathlib import Path

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
from wsgiref.simple_server import make_server

sys.path.insert(0, sys.argv[2])
from app import app

if sys.argv[3] == "forgets":
    forgets = lambda environ, start_response: iter(app(environ, start_response))
    server = make_server("127.0.0.1", int(sys.argv[1]), forgets)
else:
    server = make_server("127.0.0.1", int(sys.argv[1]), app)
server.serve_forever()
"""


@pytest.mark.parametrize(("how", "closed"), [("keeps", True), ("forgets", False)])
def test_a_server_that_leaves_close_out_is_found_out(
    tmp_path: Path, how: str, closed: bool
) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "server.py").write_text(SERVER)
    command = f"{{python}} {{state}}/server.py {{port}} {{folder}} {how}"
    server = Server(name="some", product="some", threads=1, command=command)
    tools = Tools(
        state=tmp_path, places={"python": sys.executable, "state": str(tmp_path)}, versions={}
    )
    app = App(name="small", folder=os.path.relpath(tmp_path, ROOT))
    core = min(os.sched_getaffinity(0))
    with Running(server, app, tools, core, closing=True) as running:
        running.wait()
        assert check.calls_close(running.port, "/hello", patience=0.3) is closed
