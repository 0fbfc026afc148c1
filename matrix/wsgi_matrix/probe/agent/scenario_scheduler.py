"""Runs all scenarios of a job: some concurrently, some alone, and some again."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from .accept_queue_pacing import Pacing
from .quiescence_detector import Waiting
from .scenario_run import STUCK, ScenarioRun

Begin = Callable[[int, float], ScenarioRun]
"""Makes a run of a scenario, given its number and the seconds for a port that refuses."""

DYING = 3.0
"""Seconds in which a server must accept clients again after a worker has exited."""


def run_all(
    host: str,
    port: int,
    scenarios: list[dict[str, Any]],
    parallel: int,
    deadline: float,
    waits: Callable[[], None] = lambda: None,
) -> dict[int, ScenarioRun]:
    """Run all scenarios, ``parallel`` of them at a time; return their runs by number.

    Those that must run ``alone`` are last, because they may end the server. If another one does,
    the last one that ran gets an event ``gone``, and the remaining ones are missing in the result.
    ``waits`` is called when the concurrent ones only wait.
    """
    pacing = Pacing(port, STUCK)

    def begin(number: int, patience: float = 0.0) -> ScenarioRun:
        return ScenarioRun(host, port, scenarios[number]["steps"], pacing, patience)

    done: dict[int, ScenarioRun] = {}
    last = [
        number
        for number, scenario in enumerate(scenarios)
        if scenario.get("alone") or parallel == 1
    ]
    if parallel > 1:
        together = [number for number in range(len(scenarios)) if number not in last]
        done |= {number: begin(number) for number in together}
        events = partial(_events, list(done.values()))
        with Waiting(events, waits), ThreadPoolExecutor(parallel) as pool:
            for future in [pool.submit(each.run, deadline) for each in done.values()]:
                future.result()
        _run_again(begin, done, deadline)
    one_by_one(begin, last, done, deadline)
    return done


def _events(scenarios: list[ScenarioRun]) -> int:
    return sum(len(scenario.events) for scenario in scenarios)


def _run_again(begin: Begin, done: dict[int, ScenarioRun], deadline: float) -> None:
    """Run again, alone, the scenarios that concurrent ones may have affected.

    If a server handles one client at a time, a client without a response may only have waited for
    others. If so, every timeout may be due to that; if not, all timeouts are the server's own,
    except for those after which something arrived.
    """
    unanswered = [number for number, each in done.items() if each.unanswered()]
    late = [number for number, each in done.items() if each.late() and number not in unanswered]
    timed_out = [number for number, each in done.items() if each.timed_out()]
    one_by_one(begin, unanswered + late, done, deadline)
    if any(number in done and not done[number].unanswered() for number in unanswered):
        rest = [number for number in timed_out if number not in unanswered + late]
        one_by_one(begin, rest, done, deadline)


def one_by_one(
    begin: Begin, numbers: list[int], done: dict[int, ScenarioRun], deadline: float
) -> None:
    """Run the scenarios ``numbers`` into ``done``, until one ends the server: it gets an event
    ``gone``, and the others are missing."""
    before: ScenarioRun | None = None
    for at, number in enumerate(numbers):
        scenario = begin(number, DYING)
        scenario.run(deadline)
        if scenario.never_connected() and done:
            if before is not None:
                before.events.append((time.monotonic() - before.started, "", "gone", b""))
            for left in numbers[at:]:
                done.pop(left, None)
            return
        before = done[number] = scenario
