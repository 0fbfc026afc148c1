"""A block of real, tiny servers: who takes part in what, and what the samples say."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bench import traffic
from bench.catalogue import APP, SCENARIO
from bench.model import IN_PROCESS, Server
from bench.rounds import Block, Options, Plan
from bench.tools import Tools
from tests.bench.test_watched import SERVER

pytestmark = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")

# Beside what it does always: a response of another length to requests that carry a cookie.
WRONG = SERVER.replace(
    "    return app(environ, start_response)",
    """    if how == "is wrong" and "HTTP_COOKIE" in environ:
        environ["HTTP_COOKIE"] = "session=0"
    return app(environ, start_response)""",
)


def block(state: Path, *hows: str, scenarios: tuple[str, ...]) -> Block:
    """Servers of the standard library that do what each of ``hows`` says, measured for a round."""
    (state / "server.py").write_text(WRONG)
    servers = tuple(
        Server(
            name=how,
            product=how,
            command=f"{{python}} {{state}}/server.py {{port}} {{folder}} '{how}'",
        )
        for how in hows
    )
    requests = traffic.Traffic().requests(200)
    traffic.write(requests, state)
    places = {"python": sys.executable, "state": str(state)}
    core = min(os.sched_getaffinity(0))
    options = Options(
        rounds=1,
        rate_rounds=1,
        seconds=1,
        connections=2,
        server_core=core,
        second_core=core,
        load_core=max(os.sched_getaffinity(0)),
    )
    plan = Plan(
        app=APP["raw"], scenarios=tuple(SCENARIO[name] for name in scenarios), servers=servers
    )
    tools = Tools(state=state, places=places, versions={}, requests=requests)
    return Block(plan, tools=tools, options=options, tell=lambda _: None)


def test_what_answers_wrongly_has_no_figure(tmp_path: Path) -> None:
    found = block(tmp_path, "as it should", "is wrong", scenarios=("traffic-close", "close"))
    found.run()
    right, wrong = found.trials
    assert (right.reason, right.wrong) == ("", {})
    assert wrong.reason == ""
    assert list(wrong.wrong) == ["traffic-close"]
    assert "that is not its own" in wrong.wrong["traffic-close"]
    assert {(each.server, each.scenario) for each in found.samples} == {
        ("as it should", "traffic-close"),
        ("as it should", "close"),
        ("is wrong", "close"),
        (IN_PROCESS, "traffic-close"),
        (IN_PROCESS, "close"),
    }
    for each in found.samples:
        assert each.valid
        assert each.cpu_us > 0
        assert (each.load_busy > 0) == (each.server != IN_PROCESS)
        assert (each.own_memory > 1 << 20) == (each.server != IN_PROCESS)


def test_what_answers_everything_wrongly_takes_no_part(tmp_path: Path) -> None:
    found = block(tmp_path, "is wrong", "drops a field", scenarios=("traffic-close",))
    found.run()
    reasons = {each.server: each.reason for each in found.trials}
    assert "that is not its own" in reasons["is wrong"]
    assert "the environ lacks HTTP_X_FORWARDED_FOR" in reasons["drops a field"]
    assert found.samples == []
