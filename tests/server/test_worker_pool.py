"""``onegate.master.worker_pool``: as many workers as are wanted."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from onegate.master.worker_pool import Backoff

from tests.server.helpers import HELLO, wait_for
from tests.server.processes import children
from tests.server.sources import ASK, PID

if TYPE_CHECKING:
    from tests.server.conftest import Serve


def test_two_workers_serve(serve: Serve) -> None:
    server = serve(PID, "--workers", "2")
    seen: set[bytes] = set()

    def ask() -> bool:
        # Connections that are open at once: a worker that has one leaves the next to the other.
        clients = [server.connect() for _ in range(8)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for client in clients:
            with client:
                seen.add(client.response().content)
        return len(seen) == 2

    wait_for(ask, "answers of both workers")
    assert {int(pid) for pid in seen} == children(server.process.pid).keys()


def test_ttin_and_ttou_change_the_number_of_workers(serve: Serve) -> None:
    server = serve()
    assert server.get().status == 200
    for number, wanted in [
        (signal.SIGTTIN, 2),
        (signal.SIGTTIN, 3),
        (signal.SIGTTOU, 2),
        (signal.SIGTTOU, 1),
    ]:
        server.process.send_signal(number)
        wait_for(lambda: len(children(server.process.pid)) == wanted, f"{wanted} workers")  # noqa: B023 - called in this round
    server.process.send_signal(signal.SIGTTOU)
    server.process.send_signal(signal.SIGUSR1)  # comes after it
    assert server.get().status == 200
    assert len(children(server.process.pid)) == 1


def test_winch_ends_the_workers_and_ttin_brings_one_back(serve: Serve) -> None:
    server = serve(HELLO, "--workers", "2")
    wait_for(lambda: len(children(server.process.pid)) == 2, "two workers")
    server.process.send_signal(signal.SIGWINCH)
    wait_for(lambda: not children(server.process.pid), "no worker")
    with server.connect() as waits:
        waits.send(ASK)
        assert waits.silent()
        server.process.send_signal(signal.SIGTTIN)
        assert waits.response().status == 200


# ── when to try again ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands still."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)


def seconds(backoff: Backoff) -> float:
    """How long it is to the next try."""
    return round(backoff.until - time.monotonic(), 1)


@pytest.mark.usefixtures("stopped_clock")
def test_each_wait_is_twice_as_long_up_to_30_seconds() -> None:
    backoff = Backoff()
    assert not backoff.waits
    waits = []
    for _ in range(10):
        backoff.failed("worker 7 exited with 3")
        assert backoff.waits
        waits.append(seconds(backoff))
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


@pytest.mark.usefixtures("stopped_clock")
def test_success_makes_the_next_wait_short() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.failed("cannot fork a worker")
    backoff.succeeded()
    backoff.failed("cannot fork a worker")
    assert seconds(backoff) == 0.2


@pytest.mark.usefixtures("stopped_clock")
def test_cut_short() -> None:
    backoff = Backoff()
    backoff.failed("cannot fork a worker")
    backoff.cut_short()
    assert not backoff.waits


@pytest.mark.usefixtures("stopped_clock")
def test_a_shortage_is_told_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.failed("cannot fork a worker")
    backoff.failed("cannot fork a zygote")
    backoff.shortage_over()
    backoff.failed("cannot fork a zygote")
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "cannot fork a worker",
        "cannot fork a zygote",
        "cannot fork a zygote",
    ]
