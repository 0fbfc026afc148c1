"""``onegate.master.backoff``: longer each time, told once."""

from __future__ import annotations

import time

import pytest
from onegate.master.backoff import Backoff


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands still."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)


def seconds(backoff: Backoff) -> float:
    """How long it is to the next try."""
    return round(backoff.until - time.monotonic(), 1)


def test_each_wait_is_twice_as_long_up_to_30_seconds() -> None:
    backoff = Backoff()
    assert not backoff.waits
    waits = []
    for _ in range(10):
        backoff.failed("worker 7 exited with 3")
        assert backoff.waits
        waits.append(seconds(backoff))
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_success_makes_the_next_wait_short() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.failed("cannot fork a worker")
    backoff.succeeded()
    backoff.failed("cannot fork a worker")
    assert seconds(backoff) == 0.2


def test_cut_short() -> None:
    backoff = Backoff()
    backoff.failed("cannot fork a worker")
    backoff.cut_short()
    assert not backoff.waits


def test_a_shortage_is_told_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.failed("cannot fork a worker")
    backoff.failed("cannot fork a template")
    backoff.shortage_over()
    backoff.failed("cannot fork a template")
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "cannot fork a worker",
        "cannot fork a template",
        "cannot fork a template",
    ]
