"""What ``--status`` answers: a WSGI application over the numbers that workers write.

/live     200 while the master lives            /metrics  Prometheus text
/ready    200 while requests are answered       /status   the same as JSON, for each worker
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable

from onegate import __version__
from onegate.listeners import Listener
from onegate.scoreboard import Field, Scoreboard, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.settings.model import Settings


class StatusApp:
    """The application of the status process."""

    def __init__(
        self, scoreboard: Scoreboard, listeners: list[Listener], settings: Settings
    ) -> None:
        self._scoreboard = scoreboard
        self._listeners = listeners
        self._settings = settings
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
        content = text.encode()
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
        since = slot[Field.CALL_SINCE]
        return {
            "pid": int(slot[Field.PID]),
            "generation": int(slot[Field.GENERATION]),
            "serves": bool(slot[Field.SERVES]),
            "stopping": bool(slot[Field.STOPPING]),
            "requests": int(slot[Field.REQUESTS]),
            "connections": int(slot[Field.CONNECTIONS]),
            "idle_connections": int(slot[Field.IDLE]),
            "connection_budget": int(slot[Field.BUDGET]),
            "descriptors": int(slot[Field.DESCRIPTORS]),
            "nofile": int(slot[Field.NOFILE]),
            "resident_bytes": int(slot[Field.RESIDENT]),
            "queue_seconds": round(slot[Field.QUEUE_SECONDS], 6),
            "seconds_since_beat": round(now - slot[Field.BEAT], 3),
            "seconds_in_call": round(now - since, 3) if since else 0,
        }

    @staticmethod
    def _listener(listener: Listener) -> dict[str, object]:
        queue, bound = listener.queue(), listener.queue_limit()
        return {"name": listener.name, "backlog": queue, "backlog_limit": bound}

    def _metrics(self) -> tuple[str, str, str]:
        now = time.monotonic()
        workers = [self._worker(slot, now) for slot in self._scoreboard.used()]
        lines = [
            "# TYPE onegate_workers gauge",
            f"onegate_workers {sum(bool(worker['serves']) for worker in workers)}",
            "# TYPE onegate_workers_wanted gauge",
            f"onegate_workers_wanted {self._settings.workers}",
        ]
        for name, kind in _METRICS.items():
            metric = f"onegate_worker_{name}" + ("_total" if kind == "counter" else "")
            lines.append(f"# TYPE {metric} {kind}")
            lines += [f'{metric}{{pid="{worker["pid"]}"}} {worker[name]}' for worker in workers]
        lines.append("# TYPE onegate_listener_backlog gauge")
        for listener in map(self._listener, self._listeners):
            if listener["backlog"] is not None:
                name = str(listener["name"])
                lines.append(f'onegate_listener_backlog{{name="{name}"}} {listener["backlog"]}')
        return "200 OK", "text/plain; version=0.0.4", "\n".join(lines) + "\n"


_METRICS = {
    "requests": "counter",
    "queue_seconds": "counter",
    "connections": "gauge",
    "idle_connections": "gauge",
    "connection_budget": "gauge",
    "descriptors": "gauge",
    "resident_bytes": "gauge",
    "seconds_in_call": "gauge",
}
