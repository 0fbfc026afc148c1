"""The load: what wrk says is read, and the client of a fixed rate measures what it says."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import check, load, traffic
from bench.catalogue import SCENARIO
from bench.model import Scenario
from bench.process import ROOT

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, World!\n"
CLOSING = HELLO.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
WRK = (
    '\n{"duration": 2000000, "cpu": 0.5, "requests": 500, "p50": 10.0, "p99": 20.0, "max": 30.0,'
    ' "problems": {"connect": 0, "read": 2, "write": 0, "timeout": 0, "status": 1}}\n'
)
Answer = Callable[[socket.socket], None]


def answers(reply: bytes, *, close: bool = False) -> Answer:
    """Give ``reply`` to every request of a connection, and close if asked to."""

    def serve(client: socket.socket) -> None:
        while client.recv(65536):
            client.sendall(reply)
            if close:
                return

    return serve


@contextlib.contextmanager
def serving(answer: Answer, *, at_once: bool = True) -> Iterator[int]:
    """A server on a port of its own; with ``at_once`` false it has one thread for all clients."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(client: socket.socket) -> None:
            with client, contextlib.suppress(OSError):
                answer(client)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    if at_once:
                        threading.Thread(target=serve, args=(client,), daemon=True).start()
                    else:
                        serve(client)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def core() -> int:
    """A core that the load may run on."""
    return max(os.sched_getaffinity(0))


def ask(port: int, core: int, rate: float = 50.0) -> load.Loaded:
    """One second of requests."""
    scenario = Scenario(name="x", title="x", apps=(), fixed_rate=True)
    return load.fixed_rate(
        scenario, port, state=ROOT, core=core, connections=4, seconds=1, rate=rate
    )


def test_what_wrk_says() -> None:
    found = load.read_wrk(WRK)
    assert found.rps == 250.0
    assert (found.p50_us, found.p99_us, found.max_us) == (10.0, 20.0, 30.0)
    assert found.busy == 0.25
    assert found.problems == {"read": 2, "status": 1}


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
def test_without_its_line_wrk_said_nothing(output: str) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        load.read_wrk(output)


@pytest.mark.parametrize(("reply", "close"), [(HELLO, False), (CLOSING, True)])
def test_every_request_of_the_fixed_rate_is_answered(reply: bytes, close: bool, core: int) -> None:
    with serving(answers(reply, close=close)) as port:
        found = ask(port, core)
    assert found.problems == {}
    assert 25 < found.requests < 100  # a Poisson process of 50
    assert 0 < found.p50_us <= found.p99_us <= found.max_us


def test_the_moments_are_the_same_for_every_server(core: int) -> None:
    counts = set()
    for reply, close in ((HELLO, False), (CLOSING, True)):
        with serving(answers(reply, close=close)) as port:
            counts.add(ask(port, core).requests)
    assert len(counts) == 1


def test_a_chunked_answer_is_one_answer(core: int) -> None:
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    with serving(answers(reply)) as port:
        assert ask(port, core).problems == {}


def test_a_bad_status_is_a_problem(core: int) -> None:
    with serving(answers(HELLO.replace(b"200 OK", b"503 No"))) as port:
        found = ask(port, core)
    assert found.problems == {"status": found.requests}


def test_clients_that_wait_are_counted(core: int) -> None:
    # One thread for one connection: the other three never get an answer.
    with serving(answers(HELLO), at_once=False) as port:
        assert ask(port, core).problems == {"unanswered": 3}


def test_an_answer_cut_short_is_a_problem(core: int) -> None:
    with serving(answers(HELLO[:-3], close=True)) as port:
        found = ask(port, core)
    assert found.requests == 0
    assert set(found.problems) == {"read"}


def test_no_server_at_all(core: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = ask(port, core)
    assert set(found.problems) == {"connect"}


def test_the_ceiling_calls_the_app(core: int, tmp_path: Path) -> None:
    traffic.write(traffic.Traffic().requests(100), tmp_path)
    apps = (("bench/apps/raw", "traffic"), ("bench/apps/raw", "close"), ("bench/payload", "upload"))
    for app, name in apps:
        found, cpu_us = load.in_process(
            sys.executable, app, SCENARIO[name], state=tmp_path, core=core, seconds=1
        )
        assert found.requests > 0
        assert cpu_us > 0


def test_idle_connections_that_a_server_closes_are_not_kept() -> None:
    with serving(answers(HELLO)) as port, load.idle_connections(port, 5) as idle:
        assert idle.kept() == 5
    for reply in (HELLO, CLOSING):  # without a word, and with
        with serving(answers(reply, close=True)) as port, load.idle_connections(port, 5) as idle:
            for each in idle.sockets:
                assert each.recv(1) == b""  # so that it has been closed by now
            assert idle.kept() == 0
    # One that says so and waits for the client has not offered to keep it.
    with serving(answers(CLOSING)) as port, load.idle_connections(port, 5) as idle:
        assert idle.kept() == 0


def test_check_says_whether_a_connection_is_kept() -> None:
    with serving(answers(HELLO)) as port:
        assert check.check(port, "/hello", 0, b"Hello, World!\n")
    with serving(answers(CLOSING, close=True)) as port:
        assert not check.check(port, "/hello", 0, b"Hello, World!\n")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (HELLO.replace(b"!", b"?"), "a body of 14 octets, not the expected one of 14"),
        (HELLO.replace(b"200 OK", b"404 No"), "status 404"),
        (b"nonsense\r\n\r\n", "BadStatusLine"),
    ],
)
def test_check_wants_the_whole_right_answer(reply: bytes, message: str) -> None:
    with (
        serving(answers(reply)) as port,
        pytest.raises(check.WrongAnswerError, match=message),
    ):
        check.check(port, "/hello", 0, b"Hello, World!\n")


def test_a_server_that_starves_or_does_not_close_is_found_out() -> None:
    with serving(answers(HELLO), at_once=False) as port:
        assert check.served_at_once(port, "/hello", 5, patience=0.5) == 1
    with serving(answers(HELLO)) as port:
        assert check.served_at_once(port, "/hello", 5) == 5
        assert not check.closes(port, "/hello", patience=0.5)
    with serving(answers(CLOSING, close=True), at_once=False) as port:
        assert check.closes(port, "/hello")
    # It says that it closes, and waits for the client to do so first.
    with serving(answers(CLOSING), at_once=False) as port:
        assert check.served_at_once(port, "/hello", 5) == 5


def test_the_payload_app_answers_what_is_expected() -> None:
    from bench.catalogue import LARGE, UPLOAD, expected_body

    module: dict[str, object] = {}
    exec((ROOT / "bench/payload/app.py").read_text(), module)
    assert module["LARGE"] == expected_body("/large", 0)
    assert len(expected_body("/large", 0)) == LARGE
    assert expected_body("/upload", UPLOAD) == b"1048576\n"


def test_a_connection_that_asked_for_its_end_and_is_kept_is_told() -> None:
    request = traffic.Traffic().requests(1)[0]
    head = f"HTTP/1.1 200 OK\r\nX-Correlation-ID: {request.get('X-Request-ID')}\r\n"
    head += f"Set-Cookie: seen={request.cookie}; Path=/\r\n"
    reply = f"{head}Content-Length: {len(request.text())}\r\n\r\n".encode() + request.text()
    with serving(answers(reply)) as port:
        check.check_traffic(port, [request], close=False, connections=1)
        with pytest.raises(check.WrongAnswerError, match="keeps a connection"):
            check.check_traffic(port, [request], close=True, connections=1)


def test_responses_that_are_exchanged_between_connections_are_told() -> None:
    one, other = traffic.Traffic().requests(2)
    swapped = {one.octets(): other, other.octets(): one}

    def serve(client: socket.socket) -> None:
        while request := client.recv(65536):
            text = swapped[request].text()
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)

    with (
        serving(serve) as port,
        pytest.raises(check.WrongAnswerError, match="that is not its own"),
    ):
        check.check_traffic(port, [one, other], close=False, connections=2)
