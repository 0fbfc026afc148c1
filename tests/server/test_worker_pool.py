"""``onegate.master.worker_pool``: as many workers as are wanted."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

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
