"""The suite ``stop``: how a server stops and reloads."""

from __future__ import annotations

from pathlib import Path

from wsgi_matrix.model.axes import App, Cell
from wsgi_matrix.suites.api import SuiteType
from wsgi_matrix.suites.conformance.rule_suite import rule_suite
from wsgi_matrix.suites.shutdown.rules import RULES

NAME = "stop"
RELOAD = "reload"
DEADLINE = 300.0
"""Seconds for a cell: enough for a server that lets every scenario time out, on a busy machine."""


def _no_reload(cell: Cell) -> str:
    if cell.app.name == RELOAD and not cell.server.reload_signal:
        return f"{cell.server.name} has no signal for a reload (reload_signal in its server.toml)"
    return ""


TYPE = SuiteType(
    name=NAME,
    about="How a server stops and reloads.",
    build=lambda _config: rule_suite(
        NAME, RULES, deadline=DEADLINE, waits=True, skip_reason=_no_reload
    ),
    apps=tuple(App(name=each, path=Path(__file__).with_name("app")) for each in (NAME, RELOAD)),
    one_worker=True,
)
