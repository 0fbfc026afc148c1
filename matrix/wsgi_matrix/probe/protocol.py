"""The harness's side of the probe: its archive, its job, and its report."""

from __future__ import annotations

import base64
import functools
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from wsgi_matrix.model.http_session import Session
from wsgi_matrix.model.wire import NO_BURST, Burst, Exchange, Scenario, Step, Transcript, WireEvent
from wsgi_matrix.probe.agent.response_reader import LARGEST, mask_date

__all__ = ["Job", "Report", "archive", "mask_date", "read", "step_to_json"]

WAITING = b'"event": "waiting"'
"""In the line of a probe that reports that it only waits."""
_MAIN = b"import sys\nfrom agent.main import main\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@functools.cache
def archive() -> bytes:
    """The probe as one zipapp for ``python3 -I -S``; the same bytes for the same source."""
    files = {"__main__.py": _MAIN}
    for item in resources.files(__package__).joinpath("agent").iterdir():
        if item.name.endswith(".py"):
            files["agent/" + item.name] = item.read_bytes()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as pack:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            pack.writestr(info, files[name])
    return target.getvalue()


@dataclass(frozen=True, kw_only=True)
class Job:
    """The work of a probe in a cell. Times are in seconds.

    Sessions are first. Then each request is sent ``repeat`` times, each on a new connection; then
    the scenarios run, ``parallel`` at a time; then ``clients`` concurrent clients send the first
    request, ``rounds`` times, or until one is lost, or as often as the deadline allows. Without
    clients, there is no burst. ``deadline`` is for everything.
    """

    requests: Sequence[bytes] = ()
    repeat: int = 1
    clients: int = 0
    rounds: int = 1
    deadline: float
    patience: float | None = None
    """For one exchange; ``None``: a share of the deadline, so that a path that hangs leaves time
    for the others and the burst."""
    scenarios: Sequence[Scenario] = ()
    parallel: int = 8
    sessions: Sequence[Session] = ()
    largest: int = LARGEST
    """Maximum octets of one response in a session."""
    wanted: tuple[bytes, int] | None = None
    """A request, and the status of its response that means that the app is ready."""

    waits: Callable[[], None] = lambda: None
    """Called when the probe reports that scenarios only wait, so that other cells may start."""

    def encode(
        self,
        port: int,
        *,
        host: str = "127.0.0.1",
        ready_deadline: float | None = None,
        log: str | None = None,
    ) -> bytes:
        """The line for the probe's stdin. ``log``: the server's log, if the probe can read it."""
        share = min(10.0, self.deadline / (len(self.requests) + 2))
        value = {
            "host": host,
            "port": port,
            "ready_deadline": self.deadline if ready_deadline is None else ready_deadline,
            "requests": [_base64(request) for request in self.requests],
            "repeat": self.repeat,
            "clients": self.clients,
            "rounds": self.rounds,
            "deadline": self.deadline,
            "patience": self.patience or share,
            # A port may be open while the app is still being imported: the first response waits.
            "first": self.deadline / 2 if self.patience else share,
            "scenarios": [
                {"alone": scenario.alone, "steps": [step_to_json(step) for step in scenario.steps]}
                for scenario in self.scenarios
            ],
            "parallel": self.parallel,
            "sessions": [[ask.to_json() for ask in each.asks] for each in self.sessions],
            "largest": self.largest,
            "wanted": self.wanted and [_base64(self.wanted[0]), self.wanted[1]],
            "log": log,
        }
        return json.dumps(value).encode("ascii") + b"\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def step_to_json(step: Step) -> dict[str, Any]:
    return {
        "do": step.do,
        "on": step.on,
        "among": list(step.among),
        "data": _base64(step.data),
        "methods": list(step.methods),
        "within": step.within,
        "every": step.every,
        "times": step.times,
    }


@dataclass(frozen=True, kw_only=True)
class Report:
    """The report of one run of the probe. ``unready``: why the port never opened; else empty."""

    unready: str = ""
    ready_at: float = 0.0
    """When the port accepted, in seconds since the epoch."""
    exchanges: list[list[Exchange]] = field(default_factory=list)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    """By name of the scenario."""
    session_exchanges: dict[str, Exchange] = field(default_factory=dict)
    """Exchanges of the sessions, by name of the request."""
    burst: Burst = NO_BURST
    zombies: tuple[int, ...] = ()


@dataclass(frozen=True)
class Span:
    """A period: seconds since the epoch, and the sizes of the server's log at both ends."""

    began: float
    ended: float
    log: tuple[int, int] = (0, 0)


Wrote = Callable[[Span], str]
"""Returns what the server wrote to its log in a span."""


def _nothing(_span: Span) -> str:
    return ""


def read(output: bytes, job: Job, wrote: Wrote = _nothing) -> Report:
    """Parse the probe's stdout, with what the server ``wrote`` meanwhile.

    Raises ``ValueError`` for anything but the complete output of a probe, or that of one that found
    the port unready, so that a probe that was cut short is not mistaken for a complete one.
    """
    exchanges: list[list[Exchange]] = [[] for _ in job.requests]
    transcripts: dict[str, Transcript] = {}
    session_exchanges: dict[str, Exchange] = {}
    unready, ready_at, burst, seen = "", 0.0, NO_BURST, None
    for line in output.splitlines():
        value: dict[str, Any] = json.loads(line)
        match value.get("event"):
            case "unready":
                unready = str(value["error"])
            case "ready":
                ready_at = float(value["at"])
            case "exchange":
                number = int(value["request"])
                exchanges[number].append(_exchange(job.requests[number], value, wrote))
            case "session_exchange":
                ask = job.sessions[int(value["session"])].asks[int(value["ask"])]
                session_exchanges[ask.name] = _exchange(
                    base64.b64decode(value["request"]), value, wrote
                )
            case "scenario":
                name = job.scenarios[int(value["scenario"])].name
                transcripts[name] = Transcript(name=name, events=_events(value["events"]))
            case "waiting":
                pass  # only for the scheduler, while the probe runs
            case "burst":
                burst = _burst(value, wrote)
            case "seen":
                seen = tuple(value["zombies"] or ())
            case other:
                raise ValueError(f"unknown event of the probe: {other!r}")
    if not unready and seen is None:
        raise ValueError("the probe exited before its report was complete")
    return Report(
        unready=unready,
        ready_at=ready_at,
        exchanges=exchanges,
        transcripts=transcripts,
        session_exchanges=session_exchanges,
        burst=burst,
        zombies=seen or (),
    )


def _logged(value: dict[str, Any], wrote: Wrote) -> str:
    during = value["during"]
    begin, end = during["log"]
    return wrote(Span(float(during["from"]), float(during["to"]), (int(begin), int(end))))


def _exchange(request: bytes, value: dict[str, Any], wrote: Wrote) -> Exchange:
    return Exchange(
        request=request,
        response=base64.b64decode(value["response"]),
        seconds=float(value["seconds"]),
        error=str(value["error"]),
        end=str(value["end"]),
        logged=_logged(value, wrote),
    )


def _events(values: list[Any]) -> tuple[WireEvent, ...]:
    return tuple(
        WireEvent(at=float(at), on=str(on), what=str(what), data=base64.b64decode(data))
        for at, on, what, data in values
    )


def _burst(value: dict[str, Any], wrote: Wrote) -> Burst:
    return Burst(
        clients=int(value["clients"]),
        together=int(value["together"]),
        responses={base64.b64decode(text): int(count) for text, count in value["responses"]},
        errors={str(text): int(count) for text, count in value["errors"].items()},
        seconds=float(value["seconds"]),
        logged=_logged(value, wrote),
    )
