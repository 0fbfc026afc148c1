"""The probe's program: one JSON object on stdin, JSON lines on stdout.

In: ``host, port, ready_deadline, requests`` (base64), ``repeat, clients, rounds, deadline``
(seconds, for everything), ``patience`` (seconds for one exchange) and ``first`` (for the first),
of which a machine that is busy gives more (``load_adjusted_clock``).
``scenarios`` (name, steps, alone) run ``parallel`` at a time. ``sessions`` are lists of requests to
be sent one after another, answers of more than ``largest`` octets being given up. ``wanted`` is
null, or a request and the status that its answer has to have before anything else is sent. ``log``
is null, or the file that the server writes its log to.
Out, in this order: ``ready``, ``asked`` for each request of each session, ``exchange`` for each
request and repetition (none after one that timed out), ``waiting`` at most once, when scenarios do
nothing but wait, ``scenario`` for each that the server lived to have, ``burst``, ``seen``.
``during`` says when each of them went on: ``from`` and ``to`` in seconds since the epoch, ``log``
the file's sizes then.

Sessions come first. A lone request that a burst is held to is so sent after them, to an app in the
state that they left it in, and is not the first that the app ever sees.
Exit status 0 when all lines were written, 3 when the server was never ready, 2 for a bad job.
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
"""Octets of an answer that is not whole that are told of."""
LINGER = 0.1
"""Seconds in which what a server logs of a request that went wrong is still taken to be of it: some
log only after they have responded, and a container's log goes through its engine."""
SERVER_ERROR = re.compile(rb"HTTP/1\.\d 5")


def emit(event: str, **values: Any) -> None:
    """Write one line at once: a reader sees how far the probe came even if it is killed."""
    print(json.dumps({"event": event, **values}), flush=True)


def encode(data: bytes) -> str:
    """Bytes for JSON."""
    return base64.b64encode(data).decode("ascii")


def zombies() -> list[int] | None:
    """Ids of processes that nobody reaped, where /proc can be seen; ``None`` where it cannot."""
    found = []
    try:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text(encoding="ascii", errors="replace")
            except OSError:
                continue  # it ended while we looked
            if text.rpartition(")")[2].split()[:1] == ["Z"]:
                found.append(int(stat.parent.name))
    except OSError:
        return None
    return found


def raise_nofile() -> None:
    """Use as many descriptors as the hard limit allows: the burst needs one for each client."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class During:
    """When something goes on, by the clock and by the size of the server's log; from now on."""

    def __init__(self, log: str | None) -> None:
        self._log = log
        self._from = self._now()

    def told(self, *, wrong: bool) -> dict[str, Any]:
        """It until now; ``wrong``: whether the server may have more to log of it."""
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
    """Whether a result is one that a server's log may explain."""
    return bool(result.error) or bool(SERVER_ERROR.match(result.response))


class Job:
    """The job as it came on stdin. Raises ValueError, KeyError or TypeError for a bad one."""

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
        """Seconds of the clock for one exchange: a path that hangs leaves time for the others."""
        count = len(self.requests) + sum(map(len, self.sessions))
        return max(patience, self.deadline / (count + 2))


def run(job: Job) -> int:
    """Do ``job``; the return value is the exit status."""
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
        have_session(job, number, asks, deadline)
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
                during=during.told(wrong=is_wrong(result)),
            )
            if result.timed_out:
                break  # it hangs; to ask again would only spend the time of the others
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
        while rounds < job.rounds and not burst.errors:  # a client that is lost stays lost
            if time.monotonic() + max(STALL, 2 * burst.longest) > deadline and rounds:
                break  # a server that is slow, but loses nobody, is not to fail by our deadline
            rounds += 1
            burst.run(deadline)
        emit(
            "burst",
            clients=job.clients * rounds,
            together=burst.together,
            answers=[[encode(answer), count] for answer, count in burst.answers.most_common()],
            errors=dict(burst.errors),
            seconds=round(burst.seconds, 6),
            during=during.told(
                wrong=bool(burst.errors) or any(map(SERVER_ERROR.match, burst.answers))
            ),
        )
    emit("seen", zombies=zombies())
    return 0


def have_session(job: Job, number: int, asks: list[dict[str, Any]], deadline: float) -> None:
    """Have one session and tell of each of its requests."""
    from .session import Session  # noqa: PLC0415 - its libraries cost 0.1 s, and most need it not

    first = job.patience if number else max(job.first, job.patience)
    session = Session(job.host, job.port, (first, job.patience), job.largest, job.most)
    during = During(job.log)
    for ask, (request, result) in enumerate(session.run(asks, deadline)):
        emit(
            "asked",
            session=number,
            ask=ask,
            request=encode(request),
            # Of an answer that is given up its beginning says enough.
            response=encode(result.response[:KEPT] if result.error else result.response),
            error=result.error,
            end=result.end,
            seconds=round(result.seconds, 6),
            during=during.told(wrong=is_wrong(result)),
        )
        during = During(job.log)


def main() -> int:
    """Read the job from stdin and do it."""
    try:
        job = Job(json.load(sys.stdin))
    except (ValueError, KeyError, TypeError) as problem:
        print(f"probe: bad job: {type(problem).__name__}: {problem}", file=sys.stderr)
        return 2
    raise_nofile()
    return run(job)
