"""The suite ``slow_clients``: how slow clients affect a server."""

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
"""Kinds of slow clients. Each has its own cell, so that one does not affect another's verdict."""
DEADLINE = 300.0
"""Seconds for a cell: enough for a server that lets every scenario time out, on a busy host."""

TYPE = SuiteType(
    name=NAME,
    former_name="slow",
    about="How slow clients affect a server, with a cell for each kind.",
    title="Slow clients",
    caption="32 slow clients of one kind, then eight ordinary ones, with measurements. A timeout "
    "longer than 80 s cannot be distinguished from none, so it can only differ.",
    layout=Layout.MEASURED_RULES,
    build=lambda _config: rule_suite(NAME, RULES, deadline=DEADLINE, waits=True),
    apps=tuple(App(name=kind, path=Path(__file__).with_name("app")) for kind in KINDS),
    one_worker=True,
)
