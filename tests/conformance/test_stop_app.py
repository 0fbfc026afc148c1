"""The app of the suite ``shutdown``, which waits for its client before it signals its server."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from wsgi_matrix.probe.agent.scenario_run import ScenarioRun
from wsgi_matrix.probe.protocol import step_to_json
from wsgi_matrix.suites.conformance.steps import called, close, quiet, request, responses, send
from wsgi_matrix.suites.shutdown.rules import CALLED
from wsgi_matrix.suites.shutdown.suite import TYPE

from tests.server.ports import free_port

ROOT = Path(__file__).parents[2]


def test_the_signal_comes_when_the_client_says_that_all_is_in_place():
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, ROOT / "peers" / "wsgiref" / "serve.py", "app:app", str(port)],
        env={"PYTHONPATH": str(TYPE.apps[0].path)},
        start_new_session=True,  # the app signals the leader of its session
        stderr=subprocess.DEVNULL,
    )

    def have(*steps, patience: float = 0.0) -> ScenarioRun:
        run = ScenarioRun(
            "127.0.0.1", port, [step_to_json(step) for step in steps], patience=patience
        )
        run.run(time.monotonic() + 120)
        return run

    try:
        first = have(send(request()), responses("GET"), patience=60)
        assert first.events[-1][2] == "received"
        last = have(
            send(request("/signal/SIGTERM")),
            called(on="app", within=CALLED),
            quiet(within=1.0),  # twice as long as the signal takes
            close(on="app"),
            responses("GET"),
        )
        # wsgiref does not handle the signal: it is dead before it could answer.
        assert server.wait(60) == -signal.SIGTERM
        told = {(on, what): at for at, on, what, _ in last.events}
        assert list(told) == [("a", "sent"), ("app", "connected"), ("app", "closed"), ("a", "fin")]
        assert told["a", "fin"] - told["app", "closed"] > 0.25
    finally:
        server.kill()
        server.wait(60)


def test_an_app_that_is_not_called_is_not_waited_for_for_ever():
    run = ScenarioRun("127.0.0.1", 1, [step_to_json(called(on="app", within=0.1))])
    run.run(time.monotonic() + 120)
    assert [(on, what) for _, on, what, _ in run.events] == [("app", "error")]
