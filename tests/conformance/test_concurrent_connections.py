"""Steps with many connections, and what is made of clients of which not all are accepted."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace

import pytest
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.model.wire import Transcript, WireEvent
from wsgi_matrix.probe.agent import load_adjusted_clock
from wsgi_matrix.probe.agent.accept_queue_pacing import accept_queue
from wsgi_matrix.probe.agent.multi_connection_steps import STUCK, Connection, connect_all
from wsgi_matrix.probe.agent.scenario_run import ScenarioRun
from wsgi_matrix.probe.protocol import step_to_json
from wsgi_matrix.suites.conformance.steps import (
    all_ended,
    connect,
    fetch,
    poll,
    refused,
    request,
    responses,
    trickle,
)
from wsgi_matrix.suites.slow_clients import rules

from tests.conformance.responses import HEAD_END, OK
from tests.conformance.scripted import DEAF, FIN, Wait, run_scenario

BOTH = ("one", "two")
OUT = b"connect: timed out"


def whats(transcript: Transcript, on: str) -> list[str]:
    return [line.what for line in transcript.events if line.on == on]


def test_all_connections_send_the_same_and_each_end_has_its_time():
    steps = (connect(BOTH, b"x"), all_ended(BOTH, within=0.3))
    found = run_scenario("t", steps, (Wait(b"x"), b"bye", FIN), (Wait(b"x"),))
    assert whats(found, "one") == ["sent", "received", "fin"]
    assert whats(found, "two") == ["sent", "timeout"]
    assert found.ended_at("one") < found.events[-1].at
    assert found.ended_at("two") is None


def test_a_trickle_goes_on_during_other_steps_until_the_connection_ends():
    steps = (connect(BOTH, b"x"), trickle(BOTH, b"abc", every=0.01), all_ended(BOTH, within=5))
    found = run_scenario("t", steps, (Wait(b"abc"), FIN))
    assert [line.data for line in found.events if (line.on, line.what) == ("one", "sent")] == [
        b"x", b"a", b"b", b"c",
    ]  # fmt: skip
    assert whats(found, "two")[-1] == "fin"


def test_polling_stops_when_others_have_responded():
    same = (HEAD_END, OK, FIN)
    other = (HEAD_END, OK.replace(b"hi", b"ho"), FIN)
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    steps = (
        connect(("known",), get),
        responses("GET", on="known"),
        poll(get, "new", unlike="known", every=0.001, times=2, within=5),
    )
    found = run_scenario("t", steps, same, same, other)
    asked = {line.on for line in found.events} - {"known"}
    # Some may have begun before the second other answer had come.
    assert asked >= {"new0", "new1", "new2"}
    assert all(whats(found, on) == ["sent", "received"] for on in asked)


def test_a_port_that_refuses_is_reported():
    assert whats(
        run_scenario("t", (connect(("a",)), refused("gone", within=5)), (DEAF, FIN)), "gone"
    ) == ["refused"]
    assert whats(run_scenario("t", (refused("gone", within=0.1),), ()), "gone") == ["timeout"]


def test_only_where_no_connection_is_accepted_nothing_is_known():
    [served] = [rule for rule in rules.RULES if rule.id == "silent/others-served"]

    def judged(*lines: WireEvent) -> Outcome:
        transcript = Transcript(name=served.id, events=lines)
        return served.judge(SimpleNamespace(transcripts={served.id: transcript}))[0]

    out = [
        WireEvent(at=2.0, on=on, what="error", data=OUT)
        for on in (*rules.SLOW[1:], *rules.ORDINARY)
    ]
    kept = WireEvent(at=80.0, on=rules.SLOW[0], what="timeout")
    assert judged(*out) is Outcome.ERROR
    assert judged(*out, kept) is Outcome.FAIL


def test_a_scenario_that_ended_the_server_breaks_its_rule_whatever_the_responses_were():
    rule = next(rule for rule in rules.RULES if rule.id == "slow-reader/others-served")
    served = (("sent", b"x"), ("received", OK))
    lines = [WireEvent(at=0.1, on=on, what=what, data=data)
             for on in rules.ORDINARY for what, data in served]  # fmt: skip

    def judged(*more: WireEvent) -> Outcome:
        transcript = Transcript(name=rule.id, events=(*lines, *more))
        return rule.judge(SimpleNamespace(transcripts={rule.id: transcript}))[0]

    assert judged() is Outcome.PASS
    assert judged(WireEvent(at=3.0, on="", what="gone")) is Outcome.FAIL


def all_connected(
    listener: socket.socket, names: list[str]
) -> tuple[dict[str, Connection], list[tuple[str, str, bytes]]]:
    """The connections that were accepted by ``listener``, and what was reported."""
    told: list[tuple[str, str, bytes]] = []
    made: dict[str, Connection] = {}
    until = time.monotonic() + 60
    connect_all(
        listener.getsockname(), names, until, lambda *line: told.append(line), made.__setitem__
    )
    return made, told


def test_nobody_is_connected_where_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        made, told = all_connected(taken, ["a"])
    assert (made, told) == ({}, [("a", "error", b"connect: ECONNREFUSED")])


def test_every_client_reaches_a_server_whose_queue_is_short():
    names = [f"a{number}" for number in range(12)]
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:

        def accept() -> None:
            while len(accepted) < len(names):
                accepted.append(listener.accept()[0])
                over.wait(0.02)  # its slowness is the case

        over = threading.Event()
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        made, told = all_connected(listener, names)
        accepting.join(60)
    assert (sorted(made), told) == (sorted(names), [])
    assert len(accepted) == len(names)
    for each in (*accepted, *(connection.socket for connection in made.values())):
        each.close()


def test_connecting_does_not_wait_for_a_server_that_accepts_nobody():
    with socket.create_server(("127.0.0.1", 0), backlog=5) as listener:
        looked = load_adjusted_clock.now()
        made, told = all_connected(listener, ["a", "b", "c"])
        looked = load_adjusted_clock.now() - looked
        assert accept_queue(listener.getsockname()[1]) == 3
    # One of them waits for the one before; the third finds that nobody is accepted.
    assert STUCK <= looked < 2 * STUCK
    assert (list(made), told) == (["a", "b", "c"], [])
    for connection in made.values():
        connection.socket.close()


def test_each_client_sends_before_the_next_but_one_connects():
    """Or a server that reads from one client, and accepts nobody meanwhile, stands still."""
    waiting = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            for _ in range(4):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    waiting.append(accept_queue(port))

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        run = ScenarioRun("127.0.0.1", port, [step_to_json(connect(("a", "b", "c", "d"), b"x"))])
        run.run(time.monotonic() + 60)
        serving.join(60)
    assert len(waiting) == 4
    assert max(waiting) <= 1


@pytest.mark.slow
def test_a_client_with_a_response_closes_and_one_without_is_reported():
    closed = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for number in range(3):
                connection, _ = listener.accept()
                connection.settimeout(60)
                with connection:
                    connection.recv(65536)
                    if number < 2:
                        connection.sendall(OK)
                        closed.append(connection.recv(65536))  # it is answered one at a time
                    else:
                        over.wait(60)

        over = threading.Event()
        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        steps = [step_to_json(fetch(("a", "b", "c"), request(), within=2.0))]
        run = ScenarioRun("127.0.0.1", listener.getsockname()[1], steps)
        run.run(time.monotonic() + 60)
        over.set()
        serving.join(60)
    assert closed == [b"", b""]
    whats = {on: [line[2] for line in run.events if line[1] == on] for on in ("a", "b", "c")}
    assert whats == {"a": ["sent", "received"], "b": ["sent", "received"], "c": ["sent", "timeout"]}
