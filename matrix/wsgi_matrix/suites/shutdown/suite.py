"""The suite ``shutdown``: how a server stops and reloads."""

from __future__ import annotations

from pathlib import Path

from wsgi_matrix.model.axes import App, Cell
from wsgi_matrix.suites import cell_checks
from wsgi_matrix.suites.api import Layout, SuiteType
from wsgi_matrix.suites.conformance.rule_suite import rule_suite
from wsgi_matrix.suites.shutdown.rules import RULES, STEPS

NAME = "shutdown"
RELOAD = "reload"
DEADLINE = 300.0
"""Seconds for a cell: enough for a server that lets every scenario time out, on a busy host."""


def _no_reload(cell: Cell) -> str:
    if cell.app.name == RELOAD and not cell.server.reload_signal:
        return f"{cell.server.name} has no reload signal (reload_signal in its server.toml)"
    return ""


TYPE = SuiteType(
    name=NAME,
    former_name="stop",
    about="How a server stops and reloads.",
    title="Stop and reload",
    caption="One worker, with one request in flight, one queued, an idle connection, and the "
    "signal. Servers without a reload are skipped for the reload.",
    layout=Layout.MEASURED_RULES,
    build=lambda _config: rule_suite(
        NAME,
        RULES,
        deadline=DEADLINE,
        waits=True,
        skip_reason=_no_reload,
        of_cell=(cell_checks.LIMITS, cell_checks.UNCHANGED, cell_checks.EXIT_BY_APP),
    ),
    apps=tuple(App(name=each, path=Path(__file__).with_name("app")) for each in STEPS),
    one_worker=True,
)
