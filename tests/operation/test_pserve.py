"""``pserve`` with ``use = egg:onegate#main``: Pyramid's command, and PasteDeploy's files."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, Server, started, wait_for
from tests.server.processes import children, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("pyramid")
MODULE = """
from pyramid.config import Configurator
from pyramid.response import Response

def hello(request):
    return Response(request.registry.settings["greeting"])

def main(global_config, **settings):
    config = Configurator(settings=settings)
    config.add_route("hello", "/")
    config.add_view(hello, route_name="hello")
    return config.make_wsgi_app()
"""
INI = """
[app:main]
paste.app_factory = mysite:main
greeting = one

[server:main]
use = egg:onegate#main
"""


@contextlib.contextmanager
def pserve(folder: Path, section: str, *options: str) -> Iterator[Server]:
    (folder / "mysite.py").write_text(MODULE)
    (folder / "mysite.ini").write_text(INI + section)
    command = [str(Path(sys.executable).with_name("pserve")), "mysite.ini", *options]
    environ = {"PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"}
    with started(folder, command, environ) as server:
        yield server


@pytest.mark.parametrize(
    "address",
    [
        "bind = 127.0.0.1:0",
        "host = 127.0.0.1\nport = 0",
        "listen = 127.0.0.1:0",
        "port = 0",
    ],
)
def test_it_serves(tmp_path: Path, address: str) -> None:
    with pserve(tmp_path, f"{address}\nworkers = 2\nthreads = 3\n") as server:
        server.find_port()
        assert server.host == "127.0.0.1"
        server.wait_for_log("2 workers with 3 threads")
        assert server.get().text == "one"
        wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
        assert server.stop() == 0
        assert "Traceback" not in server.log


def test_usr2_reads_the_file_anew(tmp_path: Path) -> None:
    with pserve(tmp_path, "bind = 127.0.0.1:0") as server:
        server.find_port()
        assert server.get().text == "one"
        text = (tmp_path / "mysite.ini").read_text()
        (tmp_path / "mysite.ini").write_text(text.replace("= one", "= two"))
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            assert server.process.wait(DEADLINE) == 0
            assert server.get().text == "two"
        finally:
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("worker = 2", "unknown setting 'worker'; did you mean workers?"),
        ("workers = two", "workers: invalid value 'two', expected an integer of at least 1"),
        (
            "bind = :1\nhost = a",
            "bind and host cannot be combined; use bind, listen, or host and port",
        ),
        ("bind = 127.0.0.1:99999", "--bind 127.0.0.1:99999: invalid address, expected HOST:PORT"),
    ],
)
def test_a_wrong_section_is_no_good_end(tmp_path: Path, section: str, message: str) -> None:
    with pserve(tmp_path, section) as server:
        assert server.process.wait(DEADLINE) == 1
        server.wait_for_log(re.escape(f"onegate.SettingsError: {message}"))
