"""The suites that ask a server for rules: ``rules``, ``slow`` and ``stop``, from ``cases/``."""

from __future__ import annotations

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.suites.api import RULES, SLOW, STOP, Suite, alone
from wsgi_matrix.suites.conformance import http1, pep3333, smuggling
from wsgi_matrix.suites.conformance.rule import Rule
from wsgi_matrix.suites.lifecycle import CASES as CELL_CASES
from wsgi_matrix.suites.shutdown import rules as stop
from wsgi_matrix.suites.slow_clients import rules as slow

GROUPS: dict[str, tuple[Rule, ...]] = {
    RULES: (*pep3333.RULES, *http1.RULES, *smuggling.RULES, *pep3333.LAST),
    SLOW: slow.RULES,
    STOP: stop.RULES,
}
DEADLINES = {RULES: 600.0, SLOW: 300.0, STOP: 300.0}
"""Seconds for a cell: enough for a server that lets every talk time out, on a busy machine."""
KEPT = {
    RULES: ("limits", "unchanged", "stop"),
    SLOW: ("limits", "unchanged", "stop"),
    STOP: ("limits", "unchanged", "stop"),
}
"""Checks on the cell itself that hold whatever is sent."""


def suite(name: str) -> Suite:
    """The suite ``name``."""
    rules = GROUPS[name]
    kept = tuple(case for case in CELL_CASES if case.id in KEPT[name])
    return Suite(
        name=name,
        requests={},
        talks=tuple(talk for rule in rules for talk in rule.talks()),
        cases=(*kept, *(rule.case() for rule in rules)),
        compare=alone,
        repeat=1,
        burst=False,
        deadline=DEADLINES[name],
        waits=name in (SLOW, STOP),
        skip_reason=_no_reload,
    )


def _no_reload(cell: Cell) -> str:
    if cell.app.name == "reload" and not cell.server.reload_signal:
        return f"{cell.server.name} has no signal for a reload (reload_signal in its server.toml)"
    return ""
