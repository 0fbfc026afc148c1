"""``onegate.worker.leader_followers``: concurrent calls, one loop, and each response its own."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import onegate
import pytest
from onegate.worker.leader_followers import LeaderFollowers

from tests.server.helpers import DEADLINE, Server, serving, wait_for
from tests.server.processes import children, processor_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.conftest import Serve

MIXED = """
import threading
import time
from hashlib import sha256
from pathlib import Path

lock = threading.Lock()
inside = most = 0
names = set()

def app(environ, start_response):
    global inside, most
    with lock:
        names.add(threading.current_thread().name)
        inside += 1
        most = max(most, inside)
    try:
        return answer(environ, start_response)
    finally:
        with lock:
            inside -= 1

def answer(environ, start_response):
    path = environ["PATH_INFO"]
    _, kind, *rest = path.split("/")
    if kind == "hang":
        with open("called", "a") as file:
            file.write("x")
        Path("gate").read_bytes()
    if kind == "slow":
        time.sleep(0.02)
    if kind == "names":
        path = " ".join(sorted(names))
    if kind == "most":
        path = str(most)
    if kind == "body":
        path += " " + sha256(environ["wsgi.input"].read()).hexdigest()
    if kind == "large":
        start_response("200 OK", [("X-Path", path)])
        return [path.encode() * 20_000]
    if kind == "stream":
        start_response("200 OK", [("X-Path", path)])
        return stream(path)
    if kind == "events":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return events()
    content = path.encode()
    start_response("200 OK", [("X-Path", path), ("Content-Length", str(len(content)))])
    return [content]

def stream(path):
    for number in range(5):
        yield f"{path} {number};".encode()
        time.sleep(0.002)

def events():
    yield b"data: 1\\n\\n"
    Path("gate").read_bytes()
    yield b"data: 2\\n\\n"
"""


@pytest.fixture
def threaded(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, MIXED, "--threads", "4") as server:
        os.mkfifo(tmp_path / "gate")
        yield server


def hang(server: Server, count: int) -> list[threading.Thread]:
    """So many calls that do not return; the threads end when the gate was opened for each."""

    def client() -> None:
        assert server.get("/hang").text == "/hang"

    threads = [threading.Thread(target=client) for _ in range(count)]
    for thread in threads:
        thread.start()
    called = server.folder / "called"
    wait_for(lambda: called.exists() and called.read_text() == "x" * count, f"{count} calls")
    return threads


def let_go(server: Server, threads: list[threading.Thread]) -> None:
    until = time.monotonic() + DEADLINE
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < until
        try:
            os.close(os.open(server.folder / "gate", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            time.sleep(0.01)  # nobody reads just now


def test_blocked_calls_do_not_hold_others(threaded: Server) -> None:
    threads = hang(threaded, 3)
    try:
        for number in range(50):
            assert threaded.get(f"/echo/{number}").text == f"/echo/{number}"
    finally:
        let_go(threaded, threads)


def test_up_to_4_calls_at_once_and_never_more(threaded: Server) -> None:
    threads = hang(threaded, 4)
    try:
        with threaded.connect() as fifth:
            fifth.send(b"GET /most HTTP/1.1\r\nHost: a\r\n\r\n")
            assert fifth.silent()
            let_go(threaded, threads)
            assert fifth.response().text == "4"
    finally:
        let_go(threaded, threads)


def test_4_threads_and_no_other_ever_call_the_application(threaded: Server) -> None:
    """Pools are as large as there are threads: a connection to a database for each, say."""
    for paths in (["/echo"], ["/slow"] * 40, ["/echo"] * 40, ["/slow"] * 3):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(threaded.connect()) for _ in paths]
            for client, path in zip(clients, paths, strict=True):
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            for client, path in zip(clients, paths, strict=True):
                assert client.response().text == path
    let_go(threaded, hang(threaded, 4))
    assert threaded.get("/most").text == "4"
    assert threaded.get("/names").text == "onegate-1 onegate-2 onegate-3 onegate-4"


def test_the_first_of_an_event_stream_does_not_wait_for_the_second(threaded: Server) -> None:
    with threaded.connect() as one, threaded.connect() as two:
        for client in (one, two):
            client.send(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.head().status == 200
            assert client.chunk() == b"data: 1\n\n"
            assert client.silent()
        assert threaded.get("/echo/1").text == "/echo/1"
        for client in (one, two):
            while True:
                with contextlib.suppress(OSError):  # nobody reads just now
                    os.close(os.open(threaded.folder / "gate", os.O_WRONLY | os.O_NONBLOCK))
                if not client.silent(0.05):
                    break
            assert client.chunk() == b"data: 2\n\n"
            assert client.chunk() == b""


KEEPS = """
import gc
from onegate.wsgi import Call

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%d" % sum(type(each) is Call for each in gc.get_objects())]
"""


def test_a_kept_connection_keeps_nothing_of_its_last_request(serve: Serve) -> None:
    """Beyond what each thread still holds of its own last call."""
    server = serve(KEEPS, "--threads", "4")
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            client = stack.enter_context(server.connect())
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            alive = int(client.response().content)
            assert alive <= 6


def test_environ_says_multithread(serve: Serve) -> None:
    server = serve(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [str(environ['wsgi.multithread']).encode()]\n",
        "--threads",
        "2",
    )
    assert server.get().text == "True"


def one_client(server: Server, name: int, requests: int, problems: list[str]) -> None:
    """Requests of all kinds over connections that are kept, dropped and pipelined at random."""
    choose = random.Random(name)
    client = server.connect()
    try:
        for number in range(requests):
            kind = choose.choice(("echo", "echo", "slow", "body", "large", "stream", "pipeline"))
            path = f"/{kind}/{name}/{number}"
            if kind == "pipeline":
                paths = [
                    f"/{choose.choice(('echo', 'slow'))}/{name}/{number}/{i}" for i in range(3)
                ]
                client.send(*(f"GET {each} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for each in paths))
                assert [client.response().text for _ in paths] == paths
                continue
            body = choose.randbytes(choose.randint(1, 100_000)) if kind == "body" else b""
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            client.send(
                f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: a\r\n{length}\r\n".encode()
            )
            client.send(body)
            if kind == "large" and choose.random() < 0.5:
                time.sleep(0.02)  # a slow reader
            answer = client.response()
            assert answer.get("X-Path") == path or kind == "body"
            due = {
                "large": path * 20_000,
                "stream": "".join(f"{path} {i};" for i in range(5)),
            }.get(kind, path)
            if kind == "body":
                due += " " + sha256(body).hexdigest()
            assert answer.text == due
            if choose.random() < 0.2:
                client.sock.close()
                client = server.connect()
            if choose.random() < 0.1:
                client.send(b"GET /large/gone HTTP/1.1\r\nHost: a\r\n\r\n").reset()
                client = server.connect()
    except Exception as error:
        problems.append(f"client {name}, request {number}: {error!r}"[:500])
    finally:
        client.sock.close()


def test_12_clients_of_every_kind_each_get_their_own_answers(threaded: Server) -> None:
    assert threaded.get("/echo/0").status == 200
    [worker] = children(threaded.process.pid)
    problems: list[str] = []
    threads = [
        threading.Thread(target=one_client, args=(threaded, name, 60, problems))
        for name in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(6 * DEADLINE)
        assert not thread.is_alive(), "a client hangs"
    assert problems == []
    assert 2 <= int(threaded.get("/most").text) <= 4
    assert children(threaded.process.pid).keys() == {worker}
    assert "Traceback" not in threaded.log
    # And then it is quiet: no watcher that goes on watching.
    before = processor_seconds(worker)
    time.sleep(1)  # the time itself is under test
    assert processor_seconds(worker) - before < 0.2


def test_a_forced_end_keeps_the_number_of_a_socket_that_a_call_uses() -> None:
    """Its thread may be about to send, and the number may be another file's by then."""
    entered, go_on = threading.Event(), threading.Event()
    before = threading.active_count()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        entered.set()
        go_on.wait(DEADLINE)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = onegate.Server(app, bind="127.0.0.1:0", threads=2, graceful_timeout=0.1)
    thread = threading.Thread(target=server.run)
    thread.start()
    host, port = server.urls[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), DEADLINE) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert entered.wait(DEADLINE)
        [connection] = server._worker._acceptor.connections.values()
        server.stop()
        thread.join(DEADLINE)
        assert not thread.is_alive()
        assert client.recv(100) == b""
        assert connection.sock.fileno() == connection.fd
        go_on.set()
    connection.sock.close()
    wait_for(lambda: threading.active_count() == before, "the end of its threads")
    worker = server._worker
    dispatcher = worker.dispatcher
    assert isinstance(dispatcher, LeaderFollowers)
    worker.release()  # which waited for that call
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(dispatcher._bell)
