"""Behind a real nginx, with the configuration of docs/operation.md."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.operation.samples import sample
from tests.server.helpers import DEADLINE, Client, Server, serving, wait_for
from tests.server.loads import ECHO, Load, loading
from tests.server.ports import free_port
from tests.server.processes import running
from tests.server.sources import GATE, HANG, called, gate

if TYPE_CHECKING:
    from collections.abc import Iterator

# Around the sample, which stands in the http block: what is of this machine, and of this test.
MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/mysite.conf;
}}
"""
APP = """
import hashlib, json
from pathlib import Path

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/events":
        start_response("200 OK", [("X-Accel-Buffering", "no")])
        return events()
    if path == "/large":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return (bytes([number]) * 65536 for number in range(256))
    if path == "/digest":
        digest, stream = hashlib.sha256(), environ["wsgi.input"]
        while block := stream.read(65536):
            digest.update(block)
        content = digest.hexdigest()
    else:
        names = ("REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST", "wsgi.url_scheme", "HTTP_CONNECTION",
                 "SERVER_PROTOCOL", "CONTENT_LENGTH", "HTTP_X_FORWARDED_FOR")
        content = json.dumps({name: environ.get(name) for name in names})
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content.encode()]

def events():
    yield b"data: first\\n\\n"
    Path("gate").read_bytes()
    yield b"data: second\\n\\n"
"""
LARGE = hashlib.sha256(b"".join(bytes([number]) * 65536 for number in range(256))).hexdigest()
over = pytest.mark.parametrize("over", ["tcp", "unix"])


@dataclass
class Front:
    """An nginx, and the address that it passes requests on to."""

    folder: Path
    bind: str
    port: int = field(default_factory=free_port)

    def connect(self, source: str = "127.0.0.1") -> Client:
        return Client(
            socket.create_connection(("127.0.0.1", self.port), DEADLINE, source_address=(source, 0))
        )

    def get(self, path: str = "/", *fields: str, source: str = "127.0.0.1") -> str:
        lines = "\r\n".join((f"GET {path} HTTP/1.1", f"Host: a:{self.port}", *fields))
        with self.connect(source) as client:
            response = client.send(f"{lines}\r\n\r\n".encode()).response()
        assert response.status == 200, response
        return response.text

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text()


@contextlib.contextmanager
def front(nginx: str, folder: Path, over: str, extra: str = "") -> Iterator[Front]:
    """nginx with the sample; ``extra``: directives for its location."""
    place = folder / "nginx"
    place.mkdir()
    port = free_port()
    there = Front(place, f"unix:{place}/socket" if over == "unix" else f"127.0.0.1:{port}")
    upstream = there.bind
    changes = {
        "unix:/run/mysite/socket": upstream,
        "listen 80;": f"listen 127.0.0.1:{there.port};",
        "location / {": f"location / {{ {extra}",
    }
    (place / "mysite.conf").write_text(sample("mysite.conf", changes))
    user = "user root;" if os.geteuid() == 0 else ""
    (place / "nginx.conf").write_text(MAIN.format(folder=place, user=user))
    process = subprocess.Popen(
        [nginx, "-p", str(place), "-e", str(place / "error.log"), "-c", str(place / "nginx.conf")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens() -> bool:
        assert process.poll() is None, there.log
        with contextlib.suppress(ConnectionRefusedError):
            there.connect().sock.close()
            return True
        return False

    try:
        wait_for(listens, "nginx")
        yield there
    finally:
        process.terminate()
        process.wait(DEADLINE)


@contextlib.contextmanager
def site(folder: Path, there: Front, source: str = APP, *options: str) -> Iterator[Server]:
    """The server behind it."""
    folder.mkdir(exist_ok=True)
    with serving(folder, source, *options, bind=there.bind) as server:
        yield server


@over
def test_the_client_is_whom_nginx_names_and_can_forge_nothing(
    nginx: str, tmp_path: Path, over: str
) -> None:
    with front(nginx, tmp_path, over) as there, site(tmp_path / "site", there):
        forged = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "Forwarded: for=a")
        assert json.loads(there.get("/", *forged, source="127.0.0.2")) == {
            "REMOTE_ADDR": "127.0.0.2",
            "REMOTE_PORT": None,
            "HTTP_HOST": f"a:{there.port}",
            "wsgi.url_scheme": "http",
            "HTTP_CONNECTION": None,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": None,
            "HTTP_X_FORWARDED_FOR": "192.0.2.1, 127.0.0.2",
        }


def test_https_is_known(nginx: str, tmp_path: Path) -> None:
    """As if nginx had taken it by TLS."""
    with front(nginx, tmp_path, "unix") as there, site(tmp_path / "site", there):
        conf = there.folder / "mysite.conf"
        conf.write_text(conf.read_text().replace("$scheme", "https"))
        os.kill(int((there.folder / "nginx.pid").read_text()), signal.SIGHUP)
        wait_for(
            lambda: json.loads(there.get())["wsgi.url_scheme"] == "https", "the new configuration"
        )


@over
def test_connections_to_the_server_are_kept(nginx: str, tmp_path: Path, over: str) -> None:
    with (
        front(nginx, tmp_path, over) as there,
        site(tmp_path / "site", there, APP, "--status", f"unix:{tmp_path}/status"),
    ):
        for _ in range(50):
            there.get()

        def connections() -> int:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(f"{tmp_path}/status")
                client = Client(sock).send(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
                [worker] = json.loads(client.response().content)["workers"]
                return int(worker["connections"]) if worker["requests"] == 50 else 0

        wait_for(connections, "the count")
        assert connections() == 1


@over
def test_large_contents_in_either_direction(nginx: str, tmp_path: Path, over: str) -> None:
    with front(nginx, tmp_path, over) as there, site(tmp_path / "site", there):
        with there.connect() as client:
            client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            assert hashlib.sha256(client.response().content).hexdigest() == LARGE
        content = os.urandom(16 << 20)
        with there.connect() as client:
            client.send(
                b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(content),
                content,
            )
            assert client.response().text == hashlib.sha256(content).hexdigest()


@over
def test_a_chunked_content_that_nginx_does_not_gather(
    nginx: str, tmp_path: Path, over: str
) -> None:
    extra = "proxy_request_buffering off;"
    with front(nginx, tmp_path, over, extra) as there, site(tmp_path / "site", there):
        blocks = [os.urandom(65536) for _ in range(64)]
        with there.connect() as client:
            client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(*(b"%x\r\n%s\r\n" % (len(block), block) for block in blocks), b"0\r\n\r\n")
            assert client.response().text == hashlib.sha256(b"".join(blocks)).hexdigest()


@over
def test_events_are_not_held_up(nginx: str, tmp_path: Path, over: str) -> None:
    with front(nginx, tmp_path, over) as there, site(tmp_path / "site", there) as server:
        gate(server.folder)
        with there.connect() as client:
            client.send(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.head().status == 200
            assert client.chunk() == b"data: first\n\n"
            with (server.folder / "gate").open("w"):
                pass
            assert client.chunk() == b"data: second\n\n"
            assert client.chunk() == b""


@over
def test_reloads_and_upgrades_lose_nothing(nginx: str, tmp_path: Path, over: str) -> None:
    options = ("--workers", "2", "--pidfile", "pid")
    with (
        front(nginx, tmp_path, over) as there,
        site(tmp_path / "site", there, ECHO, *options) as server,
        loading(Load("127.0.0.1", there.port, keep_alive=True)) as load,
    ):
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reloading")
        load.progress()
        server.process.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(r"new master (\d+) has taken over")[1])
        try:
            load.progress()
            assert server.process.wait(DEADLINE) == 0
            load.progress()
        finally:
            load.over.set()
            os.kill(new, signal.SIGTERM)
            wait_for(lambda: not running(new), "the new master's end")
    assert (load.lost, load.refused) == ([], 0)


def test_the_next_instance_on_the_same_path(nginx: str, tmp_path: Path) -> None:
    with front(nginx, tmp_path, "unix") as there:
        path = there.folder / "socket"
        with site(tmp_path / "old", there, GATE) as old, there.connect() as client:
            gate(old.folder)
            client.send(HANG)
            called(old.folder)
            old.process.send_signal(signal.SIGTERM)
            wait_for(lambda: not path.exists(), "the end of the socket's file")
            with there.connect() as meanwhile:
                meanwhile.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert meanwhile.response().status == 502
            with site(tmp_path / "new", there, APP):
                assert json.loads(there.get())["HTTP_HOST"]
                with (old.folder / "gate").open("w"):
                    pass
                assert client.response().content == b"ok"
                assert old.process.wait(DEADLINE) == 0
                assert json.loads(there.get())["HTTP_HOST"]
