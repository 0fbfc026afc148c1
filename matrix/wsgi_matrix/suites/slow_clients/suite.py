"""The suite ``slow_clients``: what slow clients do to a server."""

from __future__ import annotations

from pathlib import Path

from wsgi_matrix.model.axes import App
from wsgi_matrix.suites.api import Layout, SuiteType
from wsgi_matrix.suites.conformance.rule_suite import rule_suite
from wsgi_matrix.suites.slow_clients.rules import RULES

NAME = "slow_clients"
KINDS = (
    "silent",
    "half_head",
    "trickled_head",
    "half_body",
    "trickled_body",
    "idle",
    "slow_reader",
)
"""Kinds of bad clients. A cell for each: who starves a server must not spoil another's verdict."""
DEADLINE = 300.0
"""Seconds for a cell: enough for a server that lets every scenario time out, on a busy machine."""

TYPE = SuiteType(
    name=NAME,
    former_name="slow",
    about="What slow clients do to a server, a cell for each kind of them.",
    title="Slow clients",
    caption="32 bad clients of one kind, then eight good ones; what was measured stands with what "
    "is kept. A time-out longer than 80 s is not told from none, and can only differ.",
    layout=Layout.MEASURED_RULES,
    build=lambda _config: rule_suite(NAME, RULES, deadline=DEADLINE, waits=True),
    apps=tuple(App(name=kind, path=Path(__file__).with_name("app")) for kind in KINDS),
    one_worker=True,
)
