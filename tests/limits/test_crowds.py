"""More clients than descriptors, and clients that never finish, against a server with real limits.

After each: descriptors as before, no zombie, memory flat over ten rounds, every answer right.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.limits.clients import BAD, ask, bad
from tests.limits.conftest import Limited
from tests.server.helpers import Server, wait_for
from tests.server.processes import children, descriptors, resident

ROUNDS = 10
WARM = 3
"""Rounds after which memory is what it is: pools and caches are filled by then."""
TOLERATED = 1024
"""KiB: one arena of the allocator (since Python 3.10). What is remembered of requests lies between
what is not, so that it takes some twenty rounds until no new one is needed. A leak of 300 octets
for each client is still seen."""


def nothing_is_left(server: Server, once: Callable[[], None]) -> None:
    """Ten rounds of ``once`` leave the workers as they were."""
    master = server.process.pid
    assert server.get("/0").text == "/0"
    workers = sorted(children(master))
    before = {pid: descriptors(pid) for pid in (master, *workers)}
    memory: list[dict[int, int]] = []
    for _ in range(ROUNDS):
        once()
        wait_for(
            lambda: {pid: descriptors(pid) for pid in before} == before, "descriptors as before"
        )
        memory.append({pid: resident(pid) for pid in before})
    assert children(master).keys() == set(workers)
    assert "Z" not in children(master).values()
    grown = {pid: memory[-1][pid] - memory[WARM - 1][pid] for pid in before}
    assert max(grown.values()) <= TOLERATED, (grown, memory)
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
    from tests.server.loads import ECHO

    server = limited(ECHO, "--threads", "4", uid=a_uid, nproc=400)
    nothing_is_left(server, lambda: asked(server, 500))


def test_5000_in_all_through_nofile_64(limited: Limited) -> None:
    server = limited(nofile=64)
    nothing_is_left(server, lambda: asked(server, 5000 // ROUNDS))


def test_a_crowd_that_gets_on_is_not_thinned_out(limited: Limited) -> None:
    """All connect first, as a machine that is busy makes its clients do, and then ask in turn."""
    server = limited(nofile=64)
    clients = [server.connect() for _ in range(200)]
    try:
        for number, client in enumerate(clients):
            if number < 30:
                assert client.silent(0.02)  # the time itself is under test
            client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        for number, client in enumerate(clients):
            assert client.response().text == f"/{number}"
            client.sock.close()
    finally:
        for client in clients:
            client.sock.close()


@pytest.mark.parametrize("limits", [{}, {"nofile": 256}], ids=["default", "nofile_256"])
@pytest.mark.parametrize("kind", BAD)
def test_1000_bad_clients_and_a_good_one_is_answered_within_a_second(
    limited: Limited, kind: str, limits: dict[str, int]
) -> None:
    server = limited(**limits)
    address = server.host, server.port
    assert server.get("/0").text == "/0"
    told = bad(address, kind, 1000)
    assert max(told["seconds"]) < 1, told  # type: ignore[call-overload]
    if limits:
        assert told["turned_away"], "there was room for all of them"
    else:
        assert not told["turned_away"], "there was room for all of them"
    [worker] = children(server.process.pid)
    wait_for(lambda: descriptors(worker) < 40, "the end of the crowd")
    nothing_is_left(server, lambda: bad(address, kind, 100) and None)
