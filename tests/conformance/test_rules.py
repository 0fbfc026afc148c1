"""Every rule is tested itself: green where a scripted server keeps it, red where it breaks it.

``GREEN`` and ``RED`` in the modules beside this one hold, by the name of a talk, the scripts of a
server that keeps the rule, and of servers that each break it in one way.
"""

from __future__ import annotations

import pytest
from wsgi_matrix.conformance import GROUPS

from tests.conformance import scripts_http1
from tests.conformance.scripted import have_out

RULES = [rule for rules in GROUPS.values() for rule in rules]
TRIES = {rule.talk_name(each): each for rule in RULES for each in rule.tries}
GREEN = {**scripts_http1.GREEN}
RED = {**scripts_http1.RED}


def test_every_talk_has_scripts_that_keep_and_break_its_rule():
    assert (sorted(GREEN), sorted(RED)) == (sorted(TRIES), sorted(TRIES))


def test_ids_are_unique_and_every_rule_is_cited():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(rule.cite and rule.says for rule in RULES)


def fault(name: str, *scripts) -> str:
    each = TRIES[name]
    return each.accept.fault(have_out(name, each.steps, *scripts))


@pytest.mark.parametrize("name", GREEN)
def test_a_server_that_keeps_it_is_green(name):
    assert fault(name, *GREEN[name]) == ""


@pytest.mark.parametrize(("name", "number"), [(n, i) for n in RED for i in range(len(RED[n]))])
def test_a_server_that_breaks_it_is_red(name, number):
    assert fault(name, *RED[name][number])
