"""More clients than descriptors, and clients that never finish, against a server with real limits.

After each: descriptors as before, no zombie, memory flat over ten rounds, every answer right.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest
from onegate.worker.evictor import _WHILE_MOVING

from tests.limits.clients import BAD, ask, bad
from tests.limits.conftest import Limited
from tests.server.helpers import Server, wait_for
from tests.server.loads import ECHO
from tests.server.processes import children, descriptors, resident

ROUNDS = 10
FLAT = 7
"""Rounds in a row in which memory stays what it is: before, pools and caches are filled, and each
thread has had work. When that is so is chance; a leak never gets there."""
MOST = 4 * ROUNDS
TOLERATED = 1024
"""KiB: one arena of the allocator (since Python 3.10). What is remembered of requests lies between
what is not, so that it takes some twenty rounds until no new one is needed. A leak of 300 octets
for each client is still seen."""


def nothing_is_left(server: Server, once: Callable[[], None]) -> None:
    """Ten rounds of ``once``, or as many as caches take, leave the workers as they were."""
    master = server.process.pid
    assert server.get("/0").text == "/0"
    workers = sorted(children(master))
    before = {pid: descriptors(pid) for pid in (master, *workers)}
    memory: list[dict[int, int]] = []

    def grown() -> int:
        return max(memory[-1][pid] - memory[-1 - FLAT][pid] for pid in before)

    while len(memory) < ROUNDS or (grown() > TOLERATED and len(memory) < MOST):
        once()
        wait_for(
            lambda: {pid: descriptors(pid) for pid in before} == before, "descriptors as before"
        )
        memory.append({pid: resident(pid) for pid in before})
    assert children(master).keys() == set(workers)
    assert "Z" not in children(master).values()
    assert grown() <= TOLERATED, memory
    assert "Traceback" not in server.log
    assert "WARNING" not in server.log


def asked(server: Server, count: int) -> None:
    assert ask((server.host, server.port), count) == (count, [])


def test_300_clients_at_nofile_256(limited: Limited) -> None:
    server = limited(nofile=256)
    nothing_is_left(server, lambda: asked(server, 300))


def test_500_clients_at_nproc_400(limited: Limited, a_uid: int) -> None:
    server = limited(uid=a_uid, nproc=400)
    nothing_is_left(server, lambda: asked(server, 500))


def test_500_clients_at_nproc_400_with_threads(limited: Limited, a_uid: int) -> None:
    server = limited(ECHO, "--threads", "4", uid=a_uid, nproc=400)
    nothing_is_left(server, lambda: asked(server, 500))


def test_5000_in_all_through_nofile_64(limited: Limited) -> None:
    server = limited(nofile=64)
    nothing_is_left(server, lambda: asked(server, 5000 // ROUNDS))


def test_a_crowd_that_gets_on_is_not_thinned_out(limited: Limited) -> None:
    """All connect first, as a machine that is busy makes its clients do, and then ask in turn."""
    server = limited(nofile=64)
    came = []
    clients = []
    for _ in range(200):
        came.append(time.monotonic())
        clients.append(server.connect())
    silent = []
    lost = []
    try:
        for number, client in enumerate(clients):
            if number < 30:
                client.silent(0.02)  # the time itself is under test
            with contextlib.suppress(OSError):
                client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            silent.append(time.monotonic() - came[number])
        for number, client in enumerate(clients):
            try:
                assert client.response().text == f"/{number}"
            except (OSError, EOFError):
                lost.append(number)
            client.sock.close()
    finally:
        for client in clients:
            client.sock.close()
    # This test may be what got no processor time: then its clients were silent for too long.
    assert not [number for number in lost if silent[number] < _WHILE_MOVING]


NEVER = ("--head-timeout", "1000", "--body-timeout", "1000", "--keep-alive", "1000")


@pytest.mark.parametrize("limits", [{}, {"nofile": 256}], ids=["default", "nofile_256"])
@pytest.mark.parametrize("kind", BAD)
def test_1000_bad_clients_and_a_good_one_is_answered_long_before_they_time_out(
    limited: Limited, kind: str, limits: dict[str, int]
) -> None:
    """How long before: ``test_acceptor.py`` has the times, without a clock."""
    server = limited(ECHO, *NEVER, **limits)
    address = server.host, server.port
    assert server.get("/0").text == "/0"
    told = bad(address, kind, 1000)
    if limits:
        assert told["turned_away"], "there was room for all of them"
    else:
        assert not told["turned_away"], "there was room for all of them"
    [worker] = children(server.process.pid)
    wait_for(lambda: descriptors(worker) < 40, "the end of the crowd")
    nothing_is_left(server, lambda: bad(address, kind, 100) and None)
