"""The suites that there are: those of this package, and those of other distributions.

A distribution offers a suite as an entry point in the group ``wsgi_matrix.suites``, whose object is
a :class:`~wsgi_matrix.suites.api.SuiteType`; docs/extending.md shows one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points

from wsgi_matrix.errors import UserError
from wsgi_matrix.model.settings import Config
from wsgi_matrix.suites.api import Suite, SuiteType
from wsgi_matrix.suites.conformance import suite as conformance
from wsgi_matrix.suites.contract import suite as contract
from wsgi_matrix.suites.fd_scaling import suite as fd_scaling
from wsgi_matrix.suites.hello import suite as hello
from wsgi_matrix.suites.shutdown import suite as shutdown
from wsgi_matrix.suites.slow_clients import suite as slow_clients
from wsgi_matrix.suites.traffic import suite as traffic

GROUP = "wsgi_matrix.suites"
BUILT_IN = (
    hello.TYPE,
    contract.TYPE,
    conformance.TYPE,
    slow_clients.TYPE,
    shutdown.TYPE,
    fd_scaling.TYPE,
    traffic.TYPE,
)


@functools.cache
def types() -> Mapping[str, SuiteType]:
    """All suites by name, those of this package first.

    Raises :class:`~wsgi_matrix.errors.UserError` for an entry point that is none, or takes the name
    of another.
    """
    found = {each.name: each for each in BUILT_IN}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            made = entry.load()
        except Exception as problem:  # whatever another distribution's code raises
            raise UserError(f"suite {entry.name} ({entry.value}): {problem!r}") from problem
        if not isinstance(made, SuiteType):
            raise UserError(f"suite {entry.name} ({entry.value}): not a SuiteType")
        if made.name in found:
            raise UserError(f'suite {entry.name} ({entry.value}): there is a suite "{made.name}"')
        found[made.name] = made
    return found


def build(config: Config, name: str) -> Suite:
    """The suite ``name`` of ``config``.

    Raises :class:`~wsgi_matrix.errors.UserError` for one that lacks what the suite needs.
    """
    return types()[name].build(config)
