"""Made-up measurements, and the measured apps called without a server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.model import Memory, Sample, Trial
from bench.process import ROOT
from bench.results import Results

CALLS = """
import io, sys
from bench import traffic
from bench.scripts import ceiling
sys.path.insert(0, sys.argv[1])
from app import app
for each in traffic.Traffic().requests(300):
    said = []
    environ, content = ceiling.environ_of(each.octets())
    environ["wsgi.input"] = io.BytesIO(content)
    body = b"".join(app(environ, lambda *words: said.extend(words)))
    fields = {name.title(): value.strip() for name, value in said[1]}
    assert said[0] == "200 OK", said
    assert body == each.text(), (body, each)
    assert fields["X-Correlation-Id"] == each.get("X-Request-ID"), fields
    assert fields["Set-Cookie"].partition(";")[0] == f"seen={each.cookie}", fields
    assert fields["Content-Length"] == str(len(body)), fields
"""


def check_calls(name: str) -> str:
    """What a measured app answers wrongly to 300 requests of the traffic; empty if nothing.

    ``name``: of ``bench/apps``, or an absolute path. In a process of its own: Django can be set up
    once only.
    """
    folder = ROOT / "bench/apps" / Path(name)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CALLS, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stderr if run.returncode else ""


def sample(server: str, rps: float, number: int = 0, **more: object) -> Sample:
    """A sound sample of raw, keepalive, unless ``more`` says otherwise."""
    values: dict[str, object] = {
        "app": "raw",
        "scenario": "keepalive",
        "requests": 100,
        "p50_us": 500.0,
        "p99_us": 1e7 / rps,
        "cpu_us": 1e6 / rps,
    }
    return Sample(server=server, rps=rps, round=number, **{**values, **more})  # type: ignore[arg-type]


def trial(server: str, app: str = "raw", own: int = 20 << 20) -> Trial:
    """A trial that went well."""
    memory = Memory(
        worker_anonymous=own, worker_rss=2 * own, worker_pss=own, tree_pss=own, processes=1
    )
    return Trial(
        server=server,
        app=app,
        closes=True,
        calls_close=True,
        served_at_once=32,
        memory=memory,
    )


def results(samples: Iterable[Sample], trials: Iterable[Trial] = ()) -> Results:
    """A whole measurement."""
    options = {
        "rounds": 1,
        "rate_rounds": 1,
        "seconds": 1,
        "connections": 32,
        "server_core": 0,
        "second_core": 1,
        "load_core": 1,
    }
    return Results(
        date="2026-01-02T03:04:05+00:00",
        took=60.0,
        machine={
            "system": "Linux 6",
            "cpu": "A <fast> one",
            "cores": 2,
            "load_before": 0.5,
            "own_network": True,
        },
        options=options,
        versions={"onegate": "0.1.0", "python": "3.11.7", "wrk": "4.1.0", "bjoern": "3.2.2"},
        trials=list(trials),
        samples=list(samples),
    )
