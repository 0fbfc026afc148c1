"""What ``--status`` answers: a WSGI application over the numbers that workers write.

/live     200 while the master lives            /metrics  Prometheus text
/ready    200 while requests are answered       /status   the same as JSON, for each worker
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable

from onegate._version import __version__
from onegate.net.listeners import Listener
from onegate.process.scoreboard import DURATIONS, Field, Scoreboard, Slot, Total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_SILENT = 1.5
"""Seconds without a beat, of which an idle worker has one each second."""
Sample = tuple[dict[str, str], float]
"""Labels and value. The label without a name is what is put behind the metric's name."""
Family = tuple[str, str, str, list[Sample]]
"""Name without ``onegate_``, type, help, samples."""


class StatusApp:
    """The application of the status process."""

    def __init__(self, scoreboard: Scoreboard, listeners: list[Listener]) -> None:
        self._scoreboard = scoreboard
        self._listeners = listeners
        self._started = time.time()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        pages = {
            "/live": self._live,
            "/ready": self._is_ready,
            "/metrics": self._metrics,
            "/status": self._status,
        }
        page = pages.get(environ["PATH_INFO"])
        if page is None:
            status, kind, text = "404 Not Found", "text/plain", "/live /ready /metrics /status\n"
        elif environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD")])
            return []
        else:
            status, kind, text = page()
        content = text.encode("utf-8", "backslashreplace")  # a name may be of any octets
        fields = [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
        ]
        start_response(status, fields)
        return [content]

    def _live(self) -> tuple[str, str, str]:
        return "200 OK", "text/plain", "live\n"

    def _is_ready(self) -> tuple[str, str, str]:
        serving = [
            slot
            for slot in self._scoreboard.used()
            if slot[Field.SERVES] and not slot[Field.STOPPING]
        ]
        if serving:
            return "200 OK", "text/plain", "ready\n"
        return "503 Service Unavailable", "text/plain", "not ready\n"

    def _status(self) -> tuple[str, str, str]:
        now = time.monotonic()
        report = {
            "version": __version__,
            "master": os.getppid(),
            "seconds": round(time.time() - self._started, 1),
            "workers": [self._worker(slot, now) for slot in self._scoreboard.used()],
            "listeners": [self._listener(listener) for listener in self._listeners],
        }
        return "200 OK", "application/json", json.dumps(report, indent=2) + "\n"

    @staticmethod
    def _worker(slot: Slot, now: float) -> dict[str, object]:
        # With one thread it is the loop that is in the call: then there is no beat.
        silent = now - slot[Field.BEAT] > _SILENT
        since = slot[Field.CALL_SINCE] or (slot[Field.BEAT] if silent else 0.0)
        return {
            "slot": slot.index,
            "pid": int(slot[Field.PID]),
            "generation": int(slot[Field.GENERATION]),
            "serves": bool(slot[Field.SERVES]),
            "stopping": bool(slot[Field.STOPPING]),
            "requests": int(slot[Field.REQUESTS] - slot[Field.BEFORE]),
            "connections": int(slot[Field.CONNECTIONS]),
            "idle_connections": int(slot[Field.IDLE]),
            "connection_budget": int(slot[Field.BUDGET]),
            "descriptors": int(slot[Field.DESCRIPTORS]),
            "nofile": int(slot[Field.NOFILE]),
            "resident_bytes": int(slot[Field.RESIDENT]),
            "seconds_since_beat": round(now - slot[Field.BEAT], 3),
            "seconds_in_call": round(now - since, 3) if since else 0,
        }

    @staticmethod
    def _listener(listener: Listener) -> dict[str, object]:
        queue, bound = listener.queue(), listener.queue_limit()
        return {"name": listener.name, "backlog": queue, "backlog_limit": bound}

    def _metrics(self) -> tuple[str, str, str]:
        families = (*self._of_server(), *self._of_workers(), self._backlog())
        text = "".join(map(_family, families))
        return "200 OK", "text/plain; version=0.0.4", text

    def _of_server(self) -> list[Family]:
        """Sums over all workers, those that have ended too. They only grow."""
        totals, slots = self._scoreboard.totals, self._scoreboard.slots()

        def total(field: int) -> float:
            return sum(slot[field] for slot in slots)

        serving = sum(bool(slot[Field.SERVES]) for slot in slots)
        statuses = [({"class": f"{each + 2}xx"}, total(Field.STATUSES + each)) for each in range(4)]
        restarts = (
            ("crashed", Total.CRASHED),
            ("timeout", Total.TIMED_OUT),
            ("retired", Total.RETIRED),
        )
        reloads = ("adopted", Total.RELOADED), ("failed", Total.RELOAD_FAILED)
        return [
            ("workers", "gauge", "Workers that are ready.", [({}, serving)]),
            (
                "workers_wanted",
                "gauge",
                "Target number of workers.",
                [({}, totals[Total.WANTED])],
            ),
            (
                "requests_total",
                "counter",
                "Calls to the application.",
                [({}, total(Field.REQUESTS))],
            ),
            ("responses_total", "counter", "Responses, by status class.", statuses),
            (
                "requests_refused_total",
                "counter",
                "Requests rejected without calling the application.",
                [({}, total(Field.REFUSED))],
            ),
            (
                "response_heads_refused_total",
                "counter",
                "Response heads from the application that were rejected as invalid.",
                [({}, total(Field.HEADS_REFUSED))],
            ),
            (
                "request_duration_seconds",
                "histogram",
                "Seconds from the complete request head to the end of the application call.",
                self._durations(total),
            ),
            (
                "worker_restarts_total",
                "counter",
                "Workers replaced, by reason.",
                [({"reason": name}, totals[each]) for name, each in restarts],
            ),
            (
                "reloads_total",
                "counter",
                "Reloads, by result.",
                [({"result": name}, totals[each]) for name, each in reloads],
            ),
        ]

    @staticmethod
    def _durations(total: Callable[[int], float]) -> list[Sample]:
        """The cumulative buckets of a histogram."""
        samples: list[Sample] = []
        count = 0.0
        for number, limit in enumerate((*DURATIONS, float("inf"))):
            count += total(Field.DURATIONS + number)
            samples.append(({"": "_bucket", "le": "+Inf" if limit > 1e9 else f"{limit:g}"}, count))
        return [*samples, ({"": "_sum"}, total(Field.SECONDS)), ({"": "_count"}, count)]

    def _of_workers(self) -> list[Family]:
        """By the slot, which the next worker has after this one: few series, and no gap."""
        now = time.monotonic()
        slots = self._scoreboard.slots()
        workers = [self._worker(slot, now) for slot in slots if slot[Field.PID]]
        requests = [({"slot": str(slot.index)}, slot[Field.REQUESTS]) for slot in slots]
        text = "Calls to the application by all workers that have had the slot."
        return [
            ("worker_requests_total", "counter", text, requests),
            *(
                (
                    f"worker_{name}",
                    "gauge",
                    text,
                    [({"slot": str(worker["slot"])}, _number(worker[name])) for worker in workers],
                )
                for name, text in _GAUGES.items()
            ),
        ]

    def _backlog(self) -> Family:
        samples: list[Sample] = [
            ({"name": listener.name}, queue)
            for listener in self._listeners
            if (queue := listener.queue()) is not None
        ]
        return "listener_backlog", "gauge", "Connections waiting to be accepted.", samples


_GAUGES = {
    "connections": "Open connections.",
    "idle_connections": "Connections waiting for their next request.",
    "connection_budget": "Maximum number of connections.",
    "descriptors": "Open file descriptors.",
    "resident_bytes": "Resident memory, including shared pages.",
    "seconds_in_call": "Age of the oldest call in progress; 0 if there is none.",
}
"""Of a worker, as /status has them."""


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return value


def _family(family: Family) -> str:
    """A metric in Prometheus' text format, with all its samples."""
    name, kind, text, samples = family
    lines = [f"# HELP onegate_{name} {text}", f"# TYPE onegate_{name} {kind}"]
    for labels, value in samples:
        suffix = labels.get("", "")
        inner = ",".join(f'{key}="{_escape(labels[key])}"' for key in labels if key)
        braced = f"{{{inner}}}" if inner else ""
        lines.append(f"onegate_{name}{suffix}{braced} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    """A label's value: a path of a socket may have any character."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
