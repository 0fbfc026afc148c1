"""The suite ``conformance``: PEP 3333, HTTP/1.1 and request smuggling."""

from __future__ import annotations

from pathlib import Path

from wsgi_matrix.model.axes import App
from wsgi_matrix.suites.api import Layout, SuiteType
from wsgi_matrix.suites.conformance import http1, pep3333, smuggling
from wsgi_matrix.suites.conformance.rule import Rule
from wsgi_matrix.suites.conformance.rule_suite import rule_suite

NAME = "conformance"
RULES: tuple[Rule, ...] = (*pep3333.RULES, *http1.RULES, *smuggling.RULES, *pep3333.LAST)
DEADLINE = 600.0
"""Seconds for a cell: enough for a server that lets every scenario time out, on a busy host."""

TYPE = SuiteType(
    name=NAME,
    former_name="rules",
    about="The rules of PEP 3333 and HTTP/1.1.",
    title="PEP 3333, HTTP/1.1, request smuggling",
    caption="Rules as rows, servers as columns.",
    layout=Layout.RULES,
    build=lambda _config: rule_suite(NAME, RULES, deadline=DEADLINE),
    apps=(App(name=NAME, path=Path(__file__).with_name("app")),),
    one_worker=True,
)
