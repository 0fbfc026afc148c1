"""The available suites: those of this package, and those of other distributions.

A distribution provides a suite as an entry point in the group ``wsgi_matrix.suites``, whose object
is a :class:`~wsgi_matrix.suites.api.SuiteType`; docs/extending.md shows one.
"""

from __future__ import annotations

from dataclasses import replace

from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.suites.api import Suite, SuiteType
from wsgi_matrix.util.entry_points import Registry, sources

SUITES = Registry(
    "wsgi_matrix.suites",
    SuiteType,
    {
        "hello": "wsgi_matrix.suites.hello.suite:TYPE",
        "contract": "wsgi_matrix.suites.contract.suite:TYPE",
        "conformance": "wsgi_matrix.suites.conformance.suite:TYPE",
        "slow_clients": "wsgi_matrix.suites.slow_clients.suite:TYPE",
        "shutdown": "wsgi_matrix.suites.shutdown.suite:TYPE",
        "fd_scaling": "wsgi_matrix.suites.fd_scaling.suite:TYPE",
        "traffic": "wsgi_matrix.suites.traffic.suite:TYPE",
    },
)


def types() -> Registry[SuiteType]:
    """All suites by name, those of this package first; see :class:`.Registry`."""
    return SUITES


def build(config: Config, name: str) -> Suite:
    """The suite ``name`` of ``config``.

    Raises :class:`~wsgi_matrix.errors.UserError` if the matrix lacks what the suite needs.
    """
    suite = SUITES[name].build(config)
    if SUITES.is_built_in(name):
        return suite
    # Its checks may change without its version, while somebody is developing it.
    return replace(suite, sources=(*suite.sources, *sources(SUITES.entries[name])))
