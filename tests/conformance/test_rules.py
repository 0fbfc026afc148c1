"""Every rule is tested itself: green where a scripted server keeps it, red where it breaks it.

``SCRIPTS`` in the modules beside this one holds, by the name of a talk, the scripts of a server
that keeps the rule (``green``), and of servers that each break it in one way (``red``).
"""

from __future__ import annotations

import pytest
from wsgi_matrix.cases import http1
from wsgi_matrix.conformance import GROUPS

from tests.conformance import (
    scripts_answers,
    scripts_fields,
    scripts_framing,
    scripts_request,
    scripts_smuggling,
)
from tests.conformance.scripted import have_out

MODULES = (scripts_request, scripts_fields, scripts_framing, scripts_answers, scripts_smuggling)

RULES = [rule for rules in GROUPS.values() for rule in rules]
TRIES = {rule.talk_name(each): each for rule in RULES for each in rule.tries}
GREEN = {name: each for module in MODULES for name, each in module.SCRIPTS.green.items()}
RED = {name: each for module in MODULES for name, each in module.SCRIPTS.red.items()}


def test_every_talk_has_scripts_that_keep_and_break_its_rule():
    assert (sorted(GREEN), sorted(RED)) == (sorted(TRIES), sorted(TRIES))


def test_ids_are_unique_and_every_rule_is_cited():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(rule.cite and rule.says for rule in RULES)


def test_every_row_of_http1_is_a_rule_or_named_with_the_reason_why_not():
    rules = {int(rule.id.partition("-")[0][1:]) for rule in http1.RULES}
    unseen = {int(row[1:]) for row, why in http1.UNSEEN if why}
    assert not rules & unseen
    assert rules | unseen == set(range(1, http1.ROWS + 1))


def fault(name: str, *scripts) -> str:
    each = TRIES[name]
    return each.accept.fault(have_out(name, each.steps, *scripts))


@pytest.mark.parametrize("name", GREEN)
def test_a_server_that_keeps_it_is_green(name):
    assert fault(name, *GREEN[name]) == ""


@pytest.mark.parametrize(("name", "number"), [(n, i) for n in RED for i in range(len(RED[n]))])
def test_a_server_that_breaks_it_is_red(name, number):
    assert fault(name, *RED[name][number])
