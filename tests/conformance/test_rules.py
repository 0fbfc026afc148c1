"""Every rule is tested itself: green where a scripted server keeps it, red where it breaks it.

``GREEN`` and ``RED`` in the modules beside this one hold, by the name of a try, the scripts of a
server that keeps the rule, and of servers that each break it in one way.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from wsgi_matrix.conformance import GROUPS
from wsgi_matrix.model import Step

from tests.conformance import scripts_http1, scripts_slow, scripts_stop
from tests.conformance.scripted import have_out

RULES = [rule for rules in GROUPS.values() for rule in rules]
TRIES = {rule.try_name(each): each for rule in RULES for each in rule.tries}
HURRIED = 0.7
"""Seconds for a step of those talks."""
GREEN = {**scripts_http1.GREEN, **scripts_slow.GREEN, **scripts_stop.GREEN}
RED = {**scripts_http1.RED, **scripts_slow.RED, **scripts_stop.RED}


def test_every_try_has_scripts_that_keep_and_break_its_rule():
    assert (sorted(GREEN), sorted(RED)) == (sorted(TRIES), sorted(TRIES))


def test_ids_are_unique_and_every_rule_is_cited():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(rule.cite and rule.says for rule in RULES)


def fault(name: str, *scripts) -> str:
    each = TRIES[name]
    steps = (
        hurried(each.steps) if name in (*scripts_slow.GREEN, *scripts_stop.GREEN) else each.steps
    )
    return each.accept.fault(have_out(name, steps, *scripts))


def hurried(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps that wait for a server's own time, for a script that does at once what it does."""
    return tuple(
        replace(
            step,
            within=min(step.within, HURRIED),
            every=step.every / 100,
            times=min(step.times, 3),
        )
        for step in steps
    )


@pytest.mark.parametrize("name", GREEN)
def test_a_server_that_keeps_it_is_green(name):
    assert fault(name, *GREEN[name]) == ""


@pytest.mark.parametrize(("name", "number"), [(n, i) for n in RED for i in range(len(RED[n]))])
def test_a_server_that_breaks_it_is_red(name, number):
    assert fault(name, *RED[name][number])
