"""All talks of a job: which are had side by side, which alone, and which once more."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from .accept_queue import Turns
from .scenario import STUCK, Talk
from .waiting import Waiting

Begin = Callable[[int, float], Talk]
"""Makes a talk anew, by its number, with patience for a port that refuses."""

DYING = 3.0
"""Seconds in which a server whose worker has ended has to let clients in again."""


def run_all(
    host: str,
    port: int,
    talks: list[dict[str, Any]],
    parallel: int,
    deadline: float,
    waits: Callable[[], None] = lambda: None,
) -> dict[int, Talk]:
    """Run all talks, ``parallel`` of them at a time; what became of them, by their numbers.

    Those that have to be ``alone`` come last: they may end the server. So may others; then the
    last one by itself tells so in a line ``gone``, and what is left is missing in the result.
    ``waits`` is called if those that are had together do nothing but wait any more.
    """
    turns = Turns(port, STUCK)

    def begin(number: int, patience: float = 0.0) -> Talk:
        return Talk(host, port, talks[number]["steps"], turns, patience)

    done: dict[int, Talk] = {}
    last = [number for number, talk in enumerate(talks) if talk.get("alone") or parallel == 1]
    if parallel > 1:
        together = [number for number in range(len(talks)) if number not in last]
        done |= {number: begin(number) for number in together}
        lines = partial(_lines, list(done.values()))
        with Waiting(lines, waits), ThreadPoolExecutor(parallel) as pool:
            for future in [pool.submit(each.run, deadline) for each in done.values()]:
                future.result()
        _ask_again(begin, done, deadline)
    one_by_one(begin, last, done, deadline)
    return done


def _lines(talks: list[Talk]) -> int:
    return sum(len(talk.lines) for talk in talks)


def _ask_again(begin: Begin, done: dict[int, Talk], deadline: float) -> None:
    """Have out once more, with nothing else going on, what others may have spoilt.

    Where a server takes one client at a time, who was never answered may only have waited for
    others. If so, every time-out may come of that; if not, all of them are the server's own, but
    for those that something came behind.
    """
    unheard = [number for number, each in done.items() if each.unheard()]
    late = [number for number, each in done.items() if each.late() and number not in unheard]
    timed_out = [number for number, each in done.items() if each.timed_out()]
    one_by_one(begin, unheard + late, done, deadline)
    if any(number in done and not done[number].unheard() for number in unheard):
        rest = [number for number in timed_out if number not in unheard + late]
        one_by_one(begin, rest, done, deadline)


def one_by_one(begin: Begin, numbers: list[int], done: dict[int, Talk], deadline: float) -> None:
    """Have the talks ``numbers`` into ``done``, until one ends the server: it tells so, and the
    others are missing."""
    before: Talk | None = None
    for at, number in enumerate(numbers):
        talk = begin(number, DYING)
        talk.run(deadline)
        if talk.kept_out() and done:
            if before is not None:
                before.lines.append((time.monotonic() - before.started, "", "gone", b""))
            for left in numbers[at:]:
                done.pop(left, None)
            return
        before = done[number] = talk
