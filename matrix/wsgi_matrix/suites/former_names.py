"""Names before version 0.2, for error messages and for results of those versions."""

from __future__ import annotations

from wsgi_matrix.suites import cell_checks, registry
from wsgi_matrix.suites.fd_scaling import suite as fd_scaling
from wsgi_matrix.suites.hello import checks
from wsgi_matrix.suites.hello import suite as hello

OF_CELL = {"limits": cell_checks.LIMITS.id, "stop": cell_checks.CLEAN_EXIT.id}
"""Former names of checks of all suites of this package."""
OF_RESPONSE = {"hello": checks.RESPONSE.id}
"""Only of suites that repeat one request; others have exchanges of any name."""


def suite(name: str) -> str:
    """The current name of the suite formerly called ``name``; empty for any other name."""
    kinds = registry.types()
    ours = (kinds[each] for each in kinds if kinds.is_built_in(each))
    return next((kind.name for kind in ours if name and kind.former_name == name), "")


def check(of_suite: str, name: str) -> str:
    """The current name of the check ``name`` of a suite; empty if it has not changed."""
    if of_suite not in registry.types() or not registry.types().is_built_in(of_suite):
        return ""
    first, dot, rest = name.partition(".")
    if dot and suite(first) == of_suite:
        return f"{of_suite}.{rest}"  # a current alias: stop.in_flight, shutdown.in_flight
    sends_one = of_suite in (hello.NAME, fd_scaling.NAME)
    return OF_CELL.get(name, "") or (OF_RESPONSE.get(name, "") if sends_one else "")


def refused_suite(name: str) -> str:
    """An error with the current name; empty if ``name`` is not a former name."""
    now = suite(name)
    return f'the suite "{name}" was renamed to "{now}" in wsgi-matrix 0.2' if now else ""


def refused_check(of_suite: str, name: str) -> str:
    """The same for a check."""
    now = check(of_suite, name)
    return f'the check "{name}" was renamed to "{now}" in wsgi-matrix 0.2' if now else ""
