"""The probe's program: one JSON object on stdin, JSON lines on stdout.

In: ``host, port, ready_deadline, requests`` (base64), ``repeat, clients, rounds, deadline``
(seconds, for everything), ``patience`` (seconds for one exchange) and ``first`` (for the first),
which are longer on a busy host (``load_adjusted_clock``).
``scenarios`` (name, steps, alone) run ``parallel`` at a time. ``sessions`` are lists of sequential
requests, whose responses may have at most ``largest`` octets. ``wanted`` is null, or a request and
the status that its response must have before anything else is sent. ``log`` is null, or the file
that the server writes its log to.
Out, in this order: ``ready``, ``session_exchange`` for each request of each session, ``exchange``
for each request and repetition (none after one that timed out), ``waiting`` at most once, when
scenarios only wait, ``scenario`` for each until the server has exited, ``burst``, ``seen``.
``during`` is the period of each: ``from`` and ``to`` in seconds since the epoch, ``log`` the file's
sizes then.

Sessions are first, so that the single request that a burst is compared with is sent to an app in
the same state, and is not the first request of the app.
The exit status is 0 if all lines were written, 3 if the server was never ready, 2 for a bad job.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from .burst import STALL, Burst
from .exchange import Result, exchange, wait_ready, wait_status
from .load_adjusted_clock import Patience
from .scenario_scheduler import run_all

KEPT = 65536
"""Maximum octets of an incomplete response that are reported."""
LINGER = 0.1
"""Seconds in which a server's log lines are still attributed to a request that failed: some servers
log after they have responded, and a container's log goes through its engine."""
SERVER_ERROR = re.compile(rb"HTTP/1\.\d 5")


def emit(event: str, **values: Any) -> None:
    """Write one line and flush it, so that it is not lost if the probe is killed."""
    print(json.dumps({"event": event, **values}), flush=True)


def encode(data: bytes) -> str:
    """Bytes as base64, for JSON."""
    return base64.b64encode(data).decode("ascii")


def zombies() -> list[int] | None:
    """Pids of zombies; ``None`` if /proc is not available."""
    found = []
    try:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text(encoding="ascii", errors="replace")
            except OSError:
                continue  # it ended meanwhile
            if text.rpartition(")")[2].split()[:1] == ["Z"]:
                found.append(int(stat.parent.name))
    except OSError:
        return None
    return found


def raise_nofile() -> None:
    """Raise the soft limit to the hard one: the burst needs a descriptor for each client."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class During:
    """Records a period from now on, by the clock and by the size of the server's log."""

    def __init__(self, log: str | None) -> None:
        self._log = log
        self._from = self._now()

    def span(self, *, wrong: bool) -> dict[str, Any]:
        """The period until now; ``wrong``: whether the server may still log an error about it."""
        if wrong:
            time.sleep(LINGER)
        (began, size), (ended, grown) = self._from, self._now()
        return {"from": began, "to": ended, "log": [size, grown]}

    def _now(self) -> tuple[float, int]:
        size = 0
        if self._log is not None:
            with contextlib.suppress(OSError):
                size = Path(self._log).stat().st_size
        return time.time(), size


def is_wrong(result: Result) -> bool:
    """Whether the server's log may explain a result."""
    return bool(result.error) or bool(SERVER_ERROR.match(result.response))


class Job:
    """The job from stdin. Raises ValueError, KeyError or TypeError for a bad one."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.host = str(job["host"])
        self.port = int(job["port"])
        self.requests = [base64.b64decode(text) for text in job["requests"]]
        self.ready_deadline = float(job["ready_deadline"])
        self.repeat = int(job["repeat"])
        self.clients = int(job["clients"])
        self.rounds = int(job["rounds"])
        self.deadline = float(job["deadline"])
        self.patience = float(job["patience"])
        self.first = float(job["first"])
        self.scenarios: list[dict[str, Any]] = list(job["scenarios"])
        self.parallel = int(job["parallel"])
        self.sessions: list[list[dict[str, Any]]] = list(job["sessions"])
        self.largest = int(job["largest"])
        self.wanted: tuple[bytes, int] | None = None
        if job["wanted"]:
            self.wanted = (base64.b64decode(job["wanted"][0]), int(job["wanted"][1]))
        self.log: str | None = job["log"]

    def most(self, patience: float) -> float:
        """Seconds by the clock for one exchange, so that one that hangs leaves time for others."""
        count = len(self.requests) + sum(map(len, self.sessions))
        return max(patience, self.deadline / (count + 2))


def run(job: Job) -> int:
    """Run ``job``; return the exit status."""
    started = time.monotonic()
    error = wait_ready(job.host, job.port, started + job.ready_deadline)
    if not error and job.wanted:
        error = wait_status(job.host, job.port, *job.wanted, started + job.ready_deadline)
    if error:
        emit("unready", error=error, seconds=round(time.monotonic() - started, 6))
        return 3
    emit("ready", at=time.time())
    deadline = started + job.deadline
    for number, asks in enumerate(job.sessions):
        run_session(job, number, asks, deadline)
    for number, request in enumerate(job.requests):
        for repetition in range(job.repeat):
            patience = job.patience if number or repetition or job.sessions else job.first
            during = During(job.log)
            until = min(deadline, time.monotonic() + job.most(patience))
            result = exchange(job.host, job.port, request, Patience(patience, until))
            emit(
                "exchange",
                request=number,
                repetition=repetition,
                response=encode(result.response),
                error=result.error,
                end=result.end,
                seconds=round(result.seconds, 6),
                during=during.span(wrong=is_wrong(result)),
            )
            if result.timed_out:
                break  # it hangs; another try would only use up the time of others
    scenarios = {}
    if job.scenarios:
        waits = partial(emit, "waiting")
        scenarios = run_all(job.host, job.port, job.scenarios, job.parallel, deadline, waits)
    for number, scenario in sorted(scenarios.items()):
        events = [[round(at, 4), on, what, encode(data)] for at, on, what, data in scenario.events]
        emit("scenario", scenario=number, events=events)
    if job.clients and job.requests:
        burst = Burst(job.host, job.port, job.requests[0], job.clients)
        rounds, during = 0, During(job.log)
        while rounds < job.rounds and not burst.errors:  # a lost client decides the verdict
            if time.monotonic() + max(STALL, 2 * burst.longest) > deadline and rounds:
                break  # a slow server that loses no client must not fail by the cell's deadline
            rounds += 1
            burst.run(deadline)
        emit(
            "burst",
            clients=job.clients * rounds,
            together=burst.together,
            responses=[[encode(raw), count] for raw, count in burst.responses.most_common()],
            errors=dict(burst.errors),
            seconds=round(burst.seconds, 6),
            during=during.span(
                wrong=bool(burst.errors) or any(map(SERVER_ERROR.match, burst.responses))
            ),
        )
    emit("seen", zombies=zombies())
    return 0


def run_session(job: Job, number: int, asks: list[dict[str, Any]], deadline: float) -> None:
    """Run one session and report each of its requests."""
    from .session import Session  # noqa: PLC0415 - takes 0.1 s, and is rarely needed

    first = job.patience if number else max(job.first, job.patience)
    session = Session(job.host, job.port, (first, job.patience), job.largest, job.most)
    during = During(job.log)
    for ask, (request, result) in enumerate(session.run(asks, deadline)):
        emit(
            "session_exchange",
            session=number,
            ask=ask,
            request=encode(request),
            # The beginning of an incomplete response is enough.
            response=encode(result.response[:KEPT] if result.error else result.response),
            error=result.error,
            end=result.end,
            seconds=round(result.seconds, 6),
            during=during.span(wrong=is_wrong(result)),
        )
        during = During(job.log)


def main() -> int:
    """Read the job from stdin and run it."""
    try:
        job = Job(json.load(sys.stdin))
    except (ValueError, KeyError, TypeError) as problem:
        print(f"probe: bad job: {type(problem).__name__}: {problem}", file=sys.stderr)
        return 2
    raise_nofile()
    return run(job)
