"""The probe: where an answer ends, and what it says of servers that misbehave."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time

import pytest
from wsgi_matrix.probe import protocol
from wsgi_matrix.probe.agent import burst
from wsgi_matrix.probe.agent.response_reader import ResponseReader

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"

WHOLE = [  # method, answer, does it need the end of the connection
    (b"GET", OK + b"Content-Length: 2\r\n\r\nhi", False),
    (b"GET", OK + b"content-length:2\r\nContent-Length: 2\r\n\r\nhi", False),
    (b"GET", OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", False),
    (b"GET", OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nT: 1\r\n\r\n", False),
    (b"GET", OK + b"\r\nuntil the end", True),
    (b"HEAD", OK + b"Content-Length: 2\r\n\r\n", False),
    (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", False),
    (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", False),
    (b"GET", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", False),
]

BROKEN = [
    (b"", "closed without a response"),
    (b"HTTP/1.1 200 OK\r\nA: 1", "within the head"),
    (OK + b"Content-Length: 3\r\n\r\nhi", "within the body"),
    (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "several different"),
    (OK + b"Content-Length: -2\r\n\r\nhi", "malformed Content-Length"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\nhi", "malformed chunk-size"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi!!", "does not end with CRLF"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "within the body"),
    (b"hello\r\n\r\n", "no HTTP/1.x status line"),
]


@pytest.mark.parametrize(("method", "answer", "needs_end"), WHOLE)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_reader_finds_the_end_however_the_octets_come(method, answer, needs_end, size):
    reader = ResponseReader(method)
    for at in range(0, len(answer), size):
        assert not reader.over
        reader.feed(answer[at : at + size])
    assert reader.done is not needs_end
    reader.end()
    assert (reader.done, reader.error, reader.raw) == (True, "", answer)


def test_octets_behind_the_answer_are_kept_apart():
    reader = ResponseReader(b"GET")
    reader.feed(OK + b"Content-Length: 2\r\n\r\nhi!!")
    assert (reader.raw[-2:], reader.rest) == (b"hi", b"!!")


@pytest.mark.parametrize(("answer", "part"), BROKEN)
def test_the_reader_says_why_an_answer_is_not_whole(answer, part):
    reader = ResponseReader(b"GET")
    reader.feed(answer)
    reader.end()
    assert not reader.done
    assert part in reader.error


def test_the_archive_is_the_same_each_time_and_runs_alone(tmp_path):
    first = protocol.archive()
    protocol.archive.cache_clear()
    assert protocol.archive() == first
    pyz = tmp_path / "probe.pyz"
    pyz.write_bytes(first)
    done = subprocess.run(
        [sys.executable, "-I", "-S", pyz], input=b'{"host": 1}', capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"bad job: KeyError" in done.stderr


@contextlib.contextmanager
def scripted(behave):
    """A listening socket; `behave(connection)` for each client, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            behave(connection)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        # Closing alone does not wake a thread that is in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def run_probe(tmp_path, port, *, clients=3, rounds=1, deadline=30.0, repeat=1, request=GET):
    """``deadline``: short where it is waited for."""
    pyz = tmp_path / "probe.pyz"
    pyz.write_bytes(protocol.archive())
    job = protocol.Job(
        requests=[request], repeat=repeat, clients=clients, rounds=rounds, deadline=deadline
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", pyz],
        input=job.encode(port),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == b""
    return protocol.read(done.stdout, job)


def answer_with(*parts, close=True):
    def behave(connection):
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
        if not close:
            connection.recv(65536)

    return behave


def reset(connection):
    connection.recv(65536)
    connection.sendall(OK)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def hang(connection):
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("behave", "error", "burst_error"),
    [
        (hang, "no response after", "timed out: no response"),
        (
            answer_with(OK, close=False),
            "no complete response after",
            "timed out: within the response",
        ),
        (answer_with(), "closed without a response", "closed without a response"),
        (answer_with(OK), "closed within the head", "closed within the head of the response"),
        (reset, "ECONNRESET within the response", "ECONNRESET within the response"),
        (answer_with(b"?\r\n\r\n"), "no HTTP/1.x status line", "no HTTP/1.x status line"),
        (
            answer_with(OK + b"Content-Length: 0\r\n\r\nmore"),
            "4 octets after the end",
            "octets after the end of the response",
        ),
    ],
)
def test_what_misbehaving_servers_do_is_described_and_counted(tmp_path, behave, error, burst_error):
    with scripted(behave) as port:
        report = run_probe(tmp_path, port, deadline=3.0 if "timed out" in burst_error else 30.0)
    [[exchange]] = report.exchanges
    assert error in exchange.error
    assert report.burst.errors == {burst_error: 3}
    assert report.burst.responses == {}


def test_all_clients_of_the_burst_are_connected_before_the_first_one_asks(tmp_path):
    """A server that waits for 50 clients before it answers any serves the burst, and only it."""
    everybody = threading.Barrier(50)
    seen = []

    def behave(connection):
        if not connection.recv(65536):
            return  # the probe asked only whether the port is open
        seen.append(connection)
        if len(seen) > 1:  # the first is the single exchange
            everybody.wait(60)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with scripted(behave) as port:
        report = run_probe(tmp_path, port, clients=50, deadline=60)
    assert report.burst.errors == {}
    assert (sum(report.burst.responses.values()), report.burst.together) == (50, 50)


def test_distinct_answers_are_counted_and_only_the_date_is_masked(tmp_path):
    numbers = iter(range(10**6))
    lock = threading.Lock()

    def behave(connection):
        if connection.recv(65536):
            with lock:
                second = next(numbers)
            head = b"Date: Mon, 23 Nov 2026 16:00:%02d GMT\r\nX: %d\r\n" % (second, second % 2)
            connection.sendall(OK + head + b"Content-Length: 0\r\n\r\n")

    with scripted(behave) as port:
        report = run_probe(tmp_path, port, clients=20)
    assert sorted(report.burst.responses.values()) == [10, 10]
    assert all(b"Date: *\r\n" in raw for raw in report.burst.responses)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (answer_with(OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n"), "fin"),
        (answer_with(OK + b"Content-Length: 0\r\n\r\n", close=False), "open"),
    ],
)
def test_what_becomes_of_the_connection_is_noted(tmp_path, answer, end):
    with scripted(answer) as port:
        [[exchange]] = run_probe(tmp_path, port).exchanges
    assert (exchange.error, exchange.end) == ("", end)


@pytest.mark.parametrize(
    ("late", "error", "end"),
    [(b"late", "4 octets after the end of the response", "open"), (b"", "", "fin")],
)
def test_content_that_must_not_come_is_waited_for_where_the_request_asks_for_the_close(
    tmp_path, late, error, end
):
    never = threading.Event()

    def behave(connection):
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: 4\r\n\r\n")
        never.wait(0.1)  # nobody sets it: the reader has the head alone for that long
        connection.sendall(late)

    request = b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with scripted(behave) as port:
        report = run_probe(tmp_path, port, clients=0, request=request)
    [[exchange]] = report.exchanges
    assert (exchange.error, exchange.end) == (error, end)


def test_the_first_exchange_has_the_time_that_an_app_takes_to_load(tmp_path):
    job = protocol.Job(requests=[GET, GET], deadline=4.0, patience=0.1)
    with scripted(hang) as port:
        agent = tmp_path / "probe.pyz"
        agent.write_bytes(protocol.archive())
        command = [sys.executable, "-I", "-S", agent]
        done = subprocess.run(
            command, input=job.encode(port), capture_output=True, check=True, timeout=120
        )
    [first], [second] = protocol.read(done.stdout, job).exchanges
    # Half of the deadline, or more where others have the processors; a wait is of whole
    # milliseconds, and may end one too early.
    assert first.seconds > 0.49 * job.deadline
    assert second.seconds > 0.9 * job.patience
    assert second.seconds < first.seconds
    assert "no response" in second.error


def test_a_port_that_never_opens_is_told(tmp_path):
    with socket.socket() as taken:  # bound, not listening: nobody else gets it, it refuses
        taken.bind(("127.0.0.1", 0))
        report = run_probe(tmp_path, taken.getsockname()[1], deadline=0.2)
    assert report.unready == "ECONNREFUSED"


def test_a_probe_that_was_cut_short_is_not_taken_for_whole():
    with pytest.raises(ValueError, match="before its report was complete"):
        protocol.read(b'{"event": "ready", "at": 0.1}\n', protocol.Job(deadline=1))


def test_a_burst_that_nobody_is_answered_in_is_given_up_long_before_its_deadline(monkeypatch):
    monkeypatch.setattr(burst, "STALL", 0.2)
    deadline = time.monotonic() + 600
    with scripted(hang) as port:
        clients = burst.Burst("127.0.0.1", port, GET, 5)
        clients.run(deadline)
    assert time.monotonic() < deadline
    assert clients.errors == {"timed out: no response": 5}


def once_away(count):
    """A server that closes the first ``count`` connections before it has read from them."""
    numbers = iter(range(10**6))

    def behave(connection):
        if next(numbers) >= count and connection.recv(65536):
            connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")

    return behave


def burst_of_5(port, monkeypatch, borne):
    """What became of clients that speak only when three of them have been closed."""
    monkeypatch.setattr(burst, "BORNE", borne)
    original = burst.Burst._exchange

    def late(self, clients, selector, deadline):
        poll = select.poll()
        for client in clients:
            poll.register(client.socket, select.POLLIN)
        while len(poll.poll(100)) < 3:
            assert time.monotonic() < deadline
        original(self, clients, selector, deadline)

    monkeypatch.setattr(burst.Burst, "_exchange", late)
    clients = burst.Burst("127.0.0.1", port, GET, 5)
    clients.run(time.monotonic() + 60)
    monkeypatch.setattr(burst.Burst, "_exchange", original)
    return sum(clients.responses.values()), sum(clients.errors.values())


def test_a_client_that_had_to_keep_silent_for_long_may_be_closed_and_comes_anew(monkeypatch):
    """The crowd was late to speak, not the server to answer: no request was lost."""
    with scripted(once_away(3)) as port:
        assert burst_of_5(port, monkeypatch, 0.0) == (5, 0)
    with scripted(once_away(3)) as port:
        assert burst_of_5(port, monkeypatch, 1000.0) == (2, 3)
    # Who comes anew asks at once, and is answered.
    with scripted(once_away(6)) as port:
        answered, failed = burst_of_5(port, monkeypatch, 0.0)
        assert answered + failed == 5
        assert failed >= 1


def test_a_server_that_is_slow_but_loses_nobody_does_not_fail_by_the_deadline(tmp_path):
    """Rounds that would not be done in time are not begun."""
    never = threading.Event()

    def behave(connection):
        if connection.recv(65536):
            never.wait(0.5)  # nobody sets it: as long as an answer takes
            connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")

    with scripted(behave) as port:
        report = run_probe(tmp_path, port, clients=3, rounds=9, deadline=12.0)
    assert (report.burst.errors, sum(report.burst.responses.values())) == ({}, report.burst.clients)
    assert 3 <= report.burst.clients < 27
