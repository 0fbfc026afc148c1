"""Scenarios that run concurrently, and which of them run once more."""

from __future__ import annotations

import socket
import threading
import time

from wsgi_matrix.probe.agent import load_adjusted_clock
from wsgi_matrix.probe.agent.accept_queue_pacing import Pacing, accept_queue
from wsgi_matrix.probe.agent.scenario_scheduler import run_all
from wsgi_matrix.probe.protocol import step_to_json
from wsgi_matrix.suites.conformance.steps import end, head, request, responses, send

from tests.conformance.responses import HEAD_END, OK
from tests.conformance.scripted import DEAF, FIN, HANG, Only, Pause, Wait, scripted
from tests.conformance.scripts_responses import CONTINUE

ASK = send(request())


def scenario(*steps, alone: bool = False) -> dict:
    return {"steps": [step_to_json(step) for step in steps], "alone": alone}


def received_in(port: int, *scenarios: dict) -> list[bytes]:
    done = run_all("127.0.0.1", port, list(scenarios), 2, time.monotonic() + 120)
    return [
        b"".join(data for _, _, what, data in done[number].events if what == "received")
        for number in range(len(scenarios))
    ]


def test_what_got_no_response_runs_once_more_alone():
    with scripted((HANG,), (HEAD_END, OK)) as port:
        assert received_in(port, scenario(ASK, responses("GET", within=0.2))) == [OK]


def test_what_got_a_response_does_not_run_again_though_its_end_is_awaited_in_vain():
    with scripted((HEAD_END, OK), (FIN,)) as port:
        assert received_in(port, scenario(ASK, responses("GET"), end(within=0.2))) == [OK]


def test_what_has_to_be_alone_comes_after_what_runs_once_more():
    again, last = OK.replace(b"hi", b"ho"), OK.replace(b"hi", b"hu")
    with scripted((HANG,), (HEAD_END, again), (HEAD_END, last)) as port:
        received = received_in(
            port,
            scenario(ASK, responses("GET"), alone=True),
            scenario(ASK, responses("GET", within=0.2)),
        )
    assert received == [last, again]


def test_a_connection_with_nothing_left_to_read_is_closed_before_another_is_opened():
    """For a server that serves nobody else until its client has closed."""
    closed = threading.Event()

    def one_at_a_time(listener: socket.socket) -> None:
        for event in (closed, threading.Event()):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(OK)
                connection.settimeout(60)
                while connection.recv(65536):
                    pass
                event.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=one_at_a_time, args=(listener,), daemon=True)
        thread.start()
        steps = (send(request(), on="a"), responses("GET", on="a"))
        steps += (send(request(), on="b"), responses("GET", on="b", within=5))
        [received] = received_in(listener.getsockname()[1], scenario(*steps))
        thread.join(60)
    assert received == OK * 2
    assert closed.is_set()


def test_concurrent_scenarios_connect_when_nobody_waits_to_be_accepted():
    """Who finds a queue full is received of when the kernel says it again: in the middle of another
    scenario, whose server it holds up."""
    waiting = []
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        port = listener.getsockname()[1]

        def one_at_a_time() -> None:
            for _ in range(8):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    over.wait(0.02)  # its slowness is the case
                    waiting.append(accept_queue(port))
                    connection.sendall(OK)

        over = threading.Event()
        thread = threading.Thread(target=one_at_a_time, daemon=True)
        thread.start()
        scenarios = [scenario(ASK, responses("GET", within=5)) for _ in range(8)]
        done = run_all("127.0.0.1", port, scenarios, 8, time.monotonic() + 120)
        thread.join(60)
    whats = [line[2] for each in done.values() for line in each.events]
    assert whats == ["sent", "received"] * 8
    assert max(waiting) <= 1


def test_a_server_that_accepts_nobody_is_waited_for_once_until_its_queue_is_empty():
    def waits() -> bool:
        began = load_adjusted_clock.now()
        with pacing.next(), socket.create_connection(address):
            return load_adjusted_clock.now() - began >= 0.5

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        pacing = Pacing(address[1], stuck=0.5)
        assert [waits() for _ in range(3)] == [False, True, False]
        for _ in range(3):
            listener.accept()[0].close()
        assert [waits() for _ in range(3)] == [False, True, False]


def test_time_for_a_response_is_time_of_silence():
    slow = (HEAD_END, OK[:9], Pause(0.2), OK[9:20], Pause(0.2), OK[20:])
    with scripted(slow) as port:
        assert received_in(port, scenario(ASK, responses("GET", within=0.3))) == [OK]


def test_where_one_had_to_wait_for_others_every_timeout_runs_again():
    """The first has a timeout of its own; the second got no response, and gets one at last."""
    b = request("/b")
    first = (Only(b"/a"), OK)  # of two that are begun side by side either may be the first
    with scripted(first, first, (HEAD_END, OK), (HEAD_END, OK, FIN)) as port:
        steps = (send(request("/a")), responses("GET"), end(within=0.2))
        done = run_all(
            "127.0.0.1",
            port,
            [scenario(*steps), scenario(send(b), responses("GET", within=0.2))],
            2,
            time.monotonic() + 120,
        )
    assert [line[2] for line in done[0].events] == ["sent", "received", "fin"]


def test_what_came_after_a_timeout_runs_once_more_alone():
    """The server was at work for others when the interim response was due."""
    steps = (send(request("/", "Expect: 100-continue")), head(within=0.2))
    steps += (send(b"body"), responses("GET"))
    late = (HEAD_END, Wait(b"body"), OK)
    with scripted(late, (HEAD_END, CONTINUE, Wait(b"body"), OK)) as port:
        assert received_in(port, scenario(*steps)) == [CONTINUE + OK]


def test_the_scenario_that_ended_the_server_says_so_and_what_is_left_is_missing():
    ends = (HEAD_END, DEAF, OK, FIN)
    with scripted((HEAD_END, OK), ends) as port:
        alone = [scenario(ASK, responses("GET"), alone=True) for _ in range(4)]
        done = run_all("127.0.0.1", port, alone, 8, time.monotonic() + 120)
    assert sorted(done) == [0, 1]
    assert "gone" not in [line[2] for line in done[0].events]
    assert done[1].events[-1][2] == "gone"
