"""``onegate.testing``: a server for the tests of an application."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import onegate
import pytest
from onegate.testing import Server

from tests.server.helpers import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterable


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    content = f"{environ['PATH_INFO']} {environ['SERVER_PORT']}".encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE) as response:
        content: bytes = response.read()
    return content.decode()


def test_each_has_a_port_of_its_own_until_the_end_of_the_block() -> None:
    threads = threading.active_count()
    with Server(app) as one, Server(app, threads=2) as other:
        assert one.url != other.url
        for server in (one, other):
            host, _, port = server.url.partition("://")[2].rpartition(":")
            assert host == "127.0.0.1"
            assert get(server.url + "/hello") == f"/hello {port}"
    for server in (one, other):
        with pytest.raises(urllib.error.URLError):
            get(server.url)
    assert threading.active_count() == threads


def test_settings_are_those_of_a_server() -> None:
    with Server(app, bind="[::1]:0", root_path="/mounted") as server:
        assert server.url.startswith("http://[::1]:")
        assert get(server.url + "/mounted/hello").startswith("/hello ")
    with pytest.raises(onegate.SettingsError, match="workers: not available with Server"):
        Server(app, workers=2)
