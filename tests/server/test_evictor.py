"""``onegate.worker.evictor``: how long a client may take when its place is wanted for others."""

from __future__ import annotations

import math

from onegate.worker.evictor import _LEAST, _STILL, _WHILE_MOVING, PATIENCE, Evictor
from onegate.worker.worker import _SHORT_TICK


class Crowd:
    """A worker at the end of its budget, a listener with a queue, and the time, which stands."""

    def __init__(self, budget: int, queue: int) -> None:
        self.now = 100.0
        self.requests = 0
        self.budget = budget
        self.waiting = queue
        self.evictor = Evictor({})

    def patience(self, seconds: float = 0.0) -> float:
        """That of the evictor, so much later."""
        self.now += seconds
        assert not self.evictor.look(
            now=self.now, requests=self.requests, queue=self.waiting, budget=self.budget
        )
        return self.evictor._patience


def test_a_good_client_behind_a_crowd_has_its_turn_within_a_second() -> None:
    """At nofile 256: as often as the budget goes into the queue before it, plus the loop's tick."""
    crowd = Crowd(budget=211, queue=789)
    crowd.patience()
    turns = math.ceil(crowd.waiting / crowd.budget)
    assert turns * (crowd.patience(_STILL) + _SHORT_TICK) + _STILL < 1
    assert crowd.patience() == PATIENCE * (211 / 790)
    crowd.waiting = 10
    assert crowd.patience() == PATIENCE
    crowd.waiting = 100_000
    crowd.patience()
    assert crowd.patience(_STILL) == _LEAST


def test_while_a_crowd_gets_on_it_has_more_time() -> None:
    crowd = Crowd(budget=43, queue=100)
    assert crowd.patience() == _WHILE_MOVING, "it came just now"
    assert crowd.patience(_STILL) < PATIENCE
    crowd.requests += 1
    assert crowd.patience() == _WHILE_MOVING, "one was answered"
    assert crowd.patience(_STILL) < PATIENCE
    crowd.waiting += 1
    assert crowd.patience() == _WHILE_MOVING, "one more waits"
