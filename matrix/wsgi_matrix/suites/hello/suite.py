"""The suite ``hello``, the matrix of limits: two requests and a burst."""

from __future__ import annotations

from wsgi_matrix.model.axes import HELLO
from wsgi_matrix.suites import lifecycle
from wsgi_matrix.suites.api import Suite, SuiteType
from wsgi_matrix.suites.case import REQUESTS, Case
from wsgi_matrix.suites.hello import checks
from wsgi_matrix.suites.hello.comparison import compare

CASES: tuple[Case, ...] = (
    *(case for case in lifecycle.CASES if case.id == "limits"),
    *checks.CASES,
    *(case for case in lifecycle.CASES if case.id != "limits"),
)


def suite() -> Suite:
    """The suite."""
    return Suite(name=HELLO, requests=REQUESTS, cases=CASES, compare=compare, burst=True)


TYPE = SuiteType(
    name=HELLO,
    about="Two requests and a burst of clients, under each of the limits.",
    build=lambda _config: suite(),
    cross_run=True,
)
