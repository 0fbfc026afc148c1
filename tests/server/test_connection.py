"""``onegate.worker.connection``: an application that has to wait for its client, on the wire."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.server.helpers import DEADLINE, Client, Server, serving, wait_for
from tests.server.processes import children
from tests.server.test_tls import certificate, client_context

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve

SIZE = 30_000_000
APP = f"""
import itertools
from onegate.worker.output_buffer import OutputBuffer

OutputBuffer.MAX_SPOOLED = 1 << 20
BLOCK = bytes(range(256)) * 256
BLOCKS = {SIZE} // len(BLOCK)

def blocks():
    try:
        yield from itertools.repeat(BLOCK, BLOCKS)
    finally:
        with open("closed", "w"):
            pass

def app(environ, start_response):
    path = environ["PATH_INFO"]
    fields = [("Content-Type", "application/octet-stream")]
    if path == "/small":
        start_response("200 OK", fields)
        return [b"small"]
    if path == "/counted":
        fields.append(("Content-Length", str(BLOCKS * len(BLOCK))))
    write = start_response("200 OK", fields)
    if path == "/written":
        for block in blocks():
            write(block)
        return []
    if path == "/whole":
        return [BLOCK * BLOCKS]
    return blocks()
"""
DUE = bytes(range(256)) * 256 * (SIZE // 65536)


def ask(server: Server, path: str, minor: int = 1) -> Client:
    """A client with little room that has sent a request."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(DEADLINE)
    sock.connect((server.host, server.port))
    if (server.folder / "cert.pem").exists():
        sock = client_context(server.folder).wrap_socket(sock)
    return Client(sock).send(f"GET {path} HTTP/1.{minor}\r\nHost: a\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("path", "minor", "options"),
    [
        ("/chunked", 1, ("--spool", "none")),
        ("/chunked", 1, ()),
        ("/counted", 1, ("--spool", "none", "--threads", "2")),
        ("/written", 1, ("--threads", "2")),
        ("/whole", 1, ("--spool", "none")),
        ("/chunked", 0, ()),
        ("/chunked", 1, ("--spool", "none", "--certfile", "cert.pem", "--keyfile", "key.pem")),
    ],
    ids=["chunked", "disk", "counted", "written", "whole", "http10", "tls"],
)
def test_an_application_that_waits_for_a_client_that_moves_is_not_stuck(
    tmp_path: Path, path: str, minor: int, options: tuple[str, ...]
) -> None:
    """A steady client of some 600 kB/s, for longer than ``--timeout`` allows a call."""
    if "--certfile" in options:
        certificate(tmp_path)
    with (
        serving(tmp_path, APP, "--timeout", "2", *options) as server,
        ask(server, path, minor) as client,
    ):
        head = client.head()
        assert head.status == 200
        workers = children(server.process.pid).keys()
        octets = bytearray()
        until = time.monotonic() + 4.0  # the time itself is under test
        while time.monotonic() < until:
            octets += client.sock.recv(32768)
            time.sleep(0.05)
        assert len(octets) < SIZE / 2, "it was no slow client"
        chunked = head.get("Transfer-Encoding") == "chunked"
        due = len(DUE) + (SIZE // 65536 * 9 + 5 if chunked else 0)
        octets[:0] = client._buffer
        while len(octets) < due:
            more = client.sock.recv(1 << 20)
            assert more, f"cut after {len(octets)} octets:\n{server.log}"
            octets += more
        if chunked:
            sizes = b"10000\r\n", b"\r\n0\r\n\r\n"
            assert octets.startswith(sizes[0])
            assert octets.endswith(sizes[1])
            octets = octets[len(sizes[0]) : -len(sizes[1])].replace(b"\r\n10000\r\n", b"")
        assert octets == DUE
        assert "stuck" not in server.log
        assert children(server.process.pid).keys() == workers


@pytest.mark.parametrize(("threads", "minor"), [("1", 0), ("2", 1)])
@pytest.mark.parametrize("trickles", [False, True], ids=["still", "trickling"])
def test_a_client_that_does_not_move_is_given_up(
    tmp_path: Path, trickles: bool, threads: str, minor: int
) -> None:
    """By ``--write-timeout``, however short ``--timeout`` is; and the application learns of it."""
    options = ("--spool", "none", "--timeout", "1", "--write-timeout", "3", "--threads", threads)
    with serving(tmp_path, APP, *options) as server, ask(server, "/chunked", minor) as client:
        assert client.head().status == 200
        workers = children(server.process.pid).keys()
        closed = server.folder / "closed"

        def given_up() -> bool:
            if trickles:
                client.sock.recv(50)
                time.sleep(0.1)  # the pace itself is under test
            return closed.exists()

        wait_for(given_up, "the end of the call")
        assert server.get("/small").content == b"small"
        assert "stuck" not in server.log
        assert children(server.process.pid).keys() == workers
        server.wait_for_log(
            r"INFO 200 truncated, to .*, 'GET /chunked HTTP/1.\d': the client accepted less"
        )
        # Without a length and without chunks, an end in order would make it look whole.
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_a_disk_that_is_full_makes_the_application_wait(tmp_path: Path) -> None:
    """It is no reason to cut a response; and the log says why the application waits."""
    full = "OutputBuffer.MAX_SPOOLED = 1 << 20\nimport resource\n"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    full += "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    source = APP.replace("OutputBuffer.MAX_SPOOLED = 1 << 20\n", full)
    with serving(tmp_path, source) as server, ask(server, "/counted") as client:
        assert client.head().status == 200
        server.wait_for_log(
            "WARNING cannot spool a response larger than --response-memory: File too large"
        )
        octets = bytearray(client._buffer)
        while len(octets) < len(DUE):
            more = client.sock.recv(1 << 20)
            assert more, server.log
            octets += more
        assert octets == DUE
        assert server.log.count("cannot spool") == 1


MARKED = """
import gc, weakref
gc.disable()

class Mark:
    pass

marks = []

def app(environ, start_response):
    environ["test.mark"] = mark = Mark()
    marks.append(weakref.ref(mark))
    start_response("200 OK", [])
    return [b"%d" % sum(each() is not None for each in marks)]
"""


def test_a_request_leaves_nothing_to_the_garbage_collector(serve: Serve) -> None:
    server = serve(MARKED)
    with server.connect() as client:
        for number in range(8):  # no two of them alike, so each has an environ of its own
            client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            assert int(client.response().content) <= 2
            client.send(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na" % number)
            assert int(client.response().content) <= 2


ECHO = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]
"""
REQUEST = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def test_content_that_looks_like_a_request_is_content(serve: Serve) -> None:
    with serve(ECHO).connect() as client:
        client.send(REQUEST).response()  # whose names of fields are known from now on
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(REQUEST)
        client.send(head, b"Expect: 100-continue\r\n\r\n")
        assert client.head().status == 100  # so the content is read by itself
        assert client.send(REQUEST).response().content == b"POST " + REQUEST
        assert client.send(head + b"\r\n" + REQUEST).response().content == b"POST " + REQUEST


def test_content_that_comes_with_its_head_is_within_body_memory(serve: Serve) -> None:
    server = serve(ECHO, "--body-memory", "10", "--spool", "none")
    with server.connect() as client:
        for size, status in ((10, 200), (10, 200), (11, 413)):
            content = b"x" * size
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + content
            )
            response = client.response()
            assert response.status == status
            assert (response.content == b"POST " + content) is (status == 200)
