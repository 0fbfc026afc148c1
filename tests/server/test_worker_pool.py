"""``onegate.master.worker_pool``: as many workers as are wanted."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from onegate.master import worker_pool
from onegate.master.process_table import Role
from onegate.master.worker_pool import Backoff, WorkerPool
from onegate.process.scoreboard import Scoreboard, Total

from tests.server.helpers import HELLO, wait_for
from tests.server.masters import FakeSpawner
from tests.server.processes import children
from tests.server.sources import ASK, PID

if TYPE_CHECKING:
    from onegate.master.process_table import Child
    from onegate.master.state import MasterState

    from tests.server.conftest import MakeState, Serve
    from tests.server.masters import ClosableState


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


# ── without processes ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools that this module makes itself have none; a server that is started is none of these."""
    monkeypatch.setattr(worker_pool, "Spawner", FakeSpawner)


def spawner_of(pool: WorkerPool) -> FakeSpawner:
    spawner = pool._spawner
    assert isinstance(spawner, FakeSpawner)
    return spawner


def roles(state: MasterState) -> list[str]:
    return [child.role.name for child in state.processes]


def all_serve(state: MasterState) -> list[Child]:
    """All workers; they serve from now on."""
    for child in state.processes.workers():
        child.reported_serving()
    return state.processes.workers()


def test_as_many_as_are_wanted_and_what_they_need(make_state: MakeState) -> None:
    state = make_state(workers=3, status="127.0.0.1:0")
    pool = WorkerPool(state)
    pool.fill()
    assert roles(state) == ["STATUS", "WORKER", "WORKER", "WORKER"]
    assert [child.slot.index for child in state.processes.workers() if child.slot] == [0, 1, 2]
    assert state.scoreboard.totals[Total.WANTED] == 3
    assert not pool.complete()
    all_serve(state)
    assert pool.complete()
    pool.fill()
    assert len(state.processes) == 4


def test_one_that_ended_or_retires_is_replaced_in_its_slot_or_another(
    make_state: MakeState,
) -> None:
    state = make_state(workers=2)
    pool = WorkerPool(state)
    pool.fill()
    first, second = all_serve(state)
    state.processes.remove(first)
    second.retire()
    pool.fill()
    assert second in state.processes.workers()
    new = [child for child in state.processes if child is not second]
    assert [child.slot.index for child in new if child.slot] == [0, 2]
    pool.end_old(one=False)
    assert second.terminating
    assert state.processes.workers() == new


def test_resized(make_state: MakeState) -> None:
    state = make_state(workers=2)
    pool = WorkerPool(state)
    pool.fill()
    pool.resize(3)
    assert state.generations.server.num_workers == 3
    pool.fill()
    assert len(state.processes.workers()) == 3
    oldest = state.processes.workers()[0]
    pool.resize(1)
    assert state.processes.workers() == [oldest]
    pool.fill()
    assert len(state.processes) == 3
    pool.reset_target()
    assert pool.target == 2


def test_a_generation_on_trial_has_one_worker_until_that_one_serves(make_state: MakeState) -> None:
    state = make_state(workers=2)
    pool = WorkerPool(state)
    pool.fill()
    old = all_serve(state)
    trial = state.put_on_trial(workers=3)
    pool.fill()
    assert len(state.processes.workers(trial.number)) == 1
    state.processes.remove(old.pop())
    pool.fill()
    assert len(state.processes.workers(1)) == 2
    state.generations.adopt()
    pool.reset_target()
    pool.end_old(one=True)
    assert len(state.processes.workers(1)) == 1
    pool.fill()
    all_serve(state)
    assert pool.complete()
    pool.end_old(one=False)
    assert len(state.processes.workers()) == 3


def test_a_fork_that_fails_is_tried_later_and_ends_one_that_is_replaced(
    make_state: MakeState,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = make_state(workers=2)
    pool = WorkerPool(state)
    pool.fill()
    first, second = all_serve(state)
    for child in (first, second):
        child.retire()
    spawner_of(pool).refuse = True
    pool.fill()
    assert "cannot fork a worker: Resource temporarily unavailable; retrying in" in caplog.text
    assert [first.terminating, second.terminating] == [True, False]
    assert pool.next_deadline > time.monotonic()
    spawner_of(pool).refuse = False
    pool.fill()
    assert len(state.processes) == 2, "it is too early"
    pool.retry_now()
    assert pool.next_deadline == float("inf")
    pool.fill()
    assert len(state.processes) == 4


def test_no_more_than_there_is_room_for(
    make_state: MakeState,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = make_state(workers=2)
    monkeypatch.setattr(state, "scoreboard", Scoreboard(1))
    pool = WorkerPool(state)
    pool.fill()
    assert len(state.processes) == 1
    assert "cannot have more than 1 workers; retrying in" in caplog.text


def with_a_zygote(make_state: MakeState, workers: int) -> tuple[ClosableState, WorkerPool]:
    """It serves, and one worker is expected."""
    state = make_state(workers=workers, preload=True)
    pool = WorkerPool(state)
    pool.fill()
    assert roles(state) == ["ZYGOTE"]
    assert not state.processes.expected, "it does not serve yet"
    next(iter(state.processes)).reported_serving()
    pool.fill()
    assert len(state.processes.expected) == 1
    return state, pool


def has_started(state: MasterState, pool: WorkerPool) -> Child:
    """The worker that was expected: it has a process now."""
    [child] = state.processes.expected
    child.reported_pid(spawner_of(pool).announce(child))
    pool.worker_started(child)
    assert not state.processes.expected
    return child


def test_of_a_zygote_one_worker_at_a_time_is_requested(make_state: MakeState) -> None:
    state, pool = with_a_zygote(make_state, 2)
    pool.fill()
    assert len(state.processes.expected) == 1
    first = has_started(state, pool)
    pool.fill()
    second = has_started(state, pool)
    pool.fill()
    assert not state.processes.expected
    assert state.processes.workers() == [first, second]
    all_serve(state)
    assert pool.complete()


def test_the_slot_of_one_that_is_expected_is_its_own(make_state: MakeState) -> None:
    state, pool = with_a_zygote(make_state, 1)
    state.put_on_trial()
    pool.fill()
    [expected], [other] = state.processes.expected, state.processes.workers()
    assert expected.slot is not None
    assert other.slot is not None
    assert {expected.slot.index, other.slot.index} == {0, 1}


def test_one_that_is_not_wanted_any_more_when_it_comes_ends(make_state: MakeState) -> None:
    state, pool = with_a_zygote(make_state, 1)
    pool.resize(0)
    assert has_started(state, pool).terminating
    state, pool = with_a_zygote(make_state, 1)
    state.put_on_trial()
    state.generations.adopt()
    assert has_started(state, pool).terminating


def test_one_that_does_not_come_is_tried_later(
    make_state: MakeState, caplog: pytest.LogCaptureFixture
) -> None:
    state, pool = with_a_zygote(make_state, 1)
    [expected] = state.processes.expected
    pool.worker_failed(expected, "no such luck")
    assert not state.processes.expected
    assert "cannot fork a worker: no such luck; retrying in 0.2 s" in caplog.text
    pool.fill()
    assert not state.processes.expected
    pool.retry_now()
    pool.fill()
    assert len(state.processes.expected) == 1
    # Of a generation that is gone nobody misses one.
    state.put_on_trial()
    state.generations.adopt()
    pool.worker_failed(state.processes.expected[0], "of no interest")
    assert "of no interest" not in caplog.text
    assert Role.WORKER not in [child.role for child in state.processes]


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
        backoff.failed("worker 7 exited with status 3")
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
