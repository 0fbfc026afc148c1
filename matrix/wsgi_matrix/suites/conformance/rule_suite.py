"""Builds suites of rules, which are tested by scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.suites import cell_checks
from wsgi_matrix.suites.api import Suite
from wsgi_matrix.suites.case import Case
from wsgi_matrix.suites.conformance.rule import Rule


def rule_suite(
    name: str,
    rules: Sequence[Rule],
    *,
    deadline: float,
    waits: bool = False,
    skip_reason: Callable[[Cell], str] = lambda _cell: "",
    of_cell: Sequence[Case] = cell_checks.ALWAYS,
) -> Suite:
    """The suite ``name`` of ``rules``. ``of_cell``: checks of the cell itself.

    The other arguments are those of :class:`.Suite`.
    """
    return Suite(
        name=name,
        scenarios=tuple(each for rule in rules for each in rule.scenarios()),
        cases=(*of_cell, *(rule.case() for rule in rules)),
        repeat=1,
        deadline=deadline,
        waits=waits,
        skip_reason=skip_reason,
    )
