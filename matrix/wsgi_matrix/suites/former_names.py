"""Names before version 0.2, for messages and for results of that time."""

from __future__ import annotations

from wsgi_matrix.suites import cell_checks, registry
from wsgi_matrix.suites.fd_scaling import suite as fd_scaling
from wsgi_matrix.suites.hello import checks
from wsgi_matrix.suites.hello import suite as hello

SINCE = "since wsgi-matrix 0.2"
OF_CELL = {"limits": cell_checks.LIMITS.id, "stop": cell_checks.CLEAN_EXIT.id}
"""Checks of all suites of this package."""
OF_RESPONSE = {"hello": checks.RESPONSE.id}
"""Of those alone that send one request again and again: others have exchanges of any name."""


def suite(name: str) -> str:
    """What the suite that was called ``name`` is called now; empty for any other name."""
    kinds = registry.types()
    ours = (kinds[each] for each in kinds if kinds.is_built_in(each))
    return next((kind.name for kind in ours if name and kind.former_name == name), "")


def check(of_suite: str, name: str) -> str:
    """What the check ``name`` of a suite is called now; empty where it is called so."""
    if of_suite not in registry.types() or not registry.types().is_built_in(of_suite):
        return ""
    first, dot, rest = name.partition(".")
    if dot and suite(first) == of_suite:
        return f"{of_suite}.{rest}"  # an alias of today: stop.in_flight, shutdown.in_flight
    sends_one = of_suite in (hello.NAME, fd_scaling.NAME)
    return OF_CELL.get(name, "") or (OF_RESPONSE.get(name, "") if sends_one else "")


def refused_suite(name: str) -> str:
    """A sentence that says the name of today; empty where ``name`` is none of before."""
    now = suite(name)
    return f'the suite "{name}" is called "{now}" {SINCE}' if now else ""


def refused_check(of_suite: str, name: str) -> str:
    """The same of a check."""
    now = check(of_suite, name)
    return f'the check "{name}" is called "{now}" {SINCE}' if now else ""
