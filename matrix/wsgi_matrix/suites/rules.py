"""All rules, by the suite that they belong to."""

from __future__ import annotations

from wsgi_matrix.suites.conformance import suite as conformance
from wsgi_matrix.suites.conformance.rule import Rule
from wsgi_matrix.suites.shutdown import suite as shutdown
from wsgi_matrix.suites.slow_clients import suite as slow_clients

GROUPS: dict[str, tuple[Rule, ...]] = {
    each.NAME: each.RULES for each in (conformance, slow_clients, shutdown)
}
