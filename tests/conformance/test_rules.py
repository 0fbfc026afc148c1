"""Every rule is tested itself: green where a scripted server meets it, red where it breaks it.

``GREEN`` and ``RED`` in the modules beside this one hold, by the name of a variant, the scripts of
a server that meets the rule, and of servers that each break it in one way.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from wsgi_matrix.docs_pages import rules as rules_docs
from wsgi_matrix.model.mismatch import Mismatch
from wsgi_matrix.model.wire import Step
from wsgi_matrix.probe.agent import load_adjusted_clock
from wsgi_matrix.suites.conformance import http1, pep3333
from wsgi_matrix.suites.conformance.rule import OWN
from wsgi_matrix.suites.rules import GROUPS

from tests.conformance import (
    scripts_fields,
    scripts_framing,
    scripts_pep3333_blocks,
    scripts_pep3333_environ,
    scripts_pep3333_start,
    scripts_pep3333_streams,
    scripts_request,
    scripts_responses,
    scripts_slow,
    scripts_smuggling,
    scripts_stop,
)
from tests.conformance.scripted import Pause, run_scenario
from tests.conformance.scripts_pep3333 import Scripts

MODULES = (
    scripts_pep3333_environ,
    scripts_pep3333_streams,
    scripts_pep3333_start,
    scripts_pep3333_blocks,
    scripts_request,
    scripts_fields,
    scripts_framing,
    scripts_responses,
    scripts_smuggling,
    scripts_slow,
    scripts_stop,
)

RULES = [rule for rules in GROUPS.values() for rule in rules]
UNOBSERVABLE = (*pep3333.UNOBSERVABLE, *http1.UNOBSERVABLE)
VARIANTS = {rule.variant_name(each): each for rule in RULES for each in rule.variants}
GREEN = {name: scripts for module in MODULES for name, scripts in module.GREEN.items()}
RED = {name: scripts for module in MODULES for name, scripts in module.RED.items()}
HURRIED = 0.2
"""Seconds for a step that a script never does, or does at once: if they are too short for one that
breaks a rule, it is red as well."""
KEEPING = 0.7
"""The same for a script that keeps its rule."""
ID = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
CODE = re.compile(r"\\[xrn0]|(?:^|[ (])b'\S")
"""Octets, which words are wanted for."""
SENTENCE = re.compile(r"(?:RFC [0-9]{4} sections? [0-9.]+|PEP 3333, \w).*")
"""A citation that says in which section the sentence stands."""


def test_every_variant_has_scripts_that_meet_and_break_its_rule():
    assert (sorted(GREEN), sorted(RED)) == (sorted(VARIANTS), sorted(VARIANTS))


def test_ids_say_what_they_are_and_no_name_means_two_rules():
    every = (*RULES, *UNOBSERVABLE)
    names = [name for each in every for name in (each.id, each.alias) if name]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [each.id for each in every if not ID.fullmatch(each.id)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_can_be_read_without_the_code(rule):
    """Its title, the sentence of its standard, and of each variant what is sent and expected."""
    assert 1 <= len(rule.title.split()) <= 6
    assert len(rule.text.split()) >= 5
    assert SENTENCE.fullmatch(rule.cite) or rule.cite == OWN
    assert rule.variants
    names = [each.name for each in rule.variants]
    assert len(names) == len(set(names))
    for each in rule.variants:
        assert len(each.sends.split()) >= 2
        assert not CODE.search(each.sends)
        assert len(each.expects.description.split()) >= 3


def test_every_section_of_the_page_has_rules_and_every_rule_a_section():
    assert {rule.id.partition("/")[0] for rule in RULES} == set(rules_docs.SECTIONS)


def test_the_page_says_of_every_variant_what_is_sent_and_accepted():
    page = rules_docs.render()
    for rule in RULES:
        for name in filter(None, (rule.id, rule.alias)):
            assert f'<a id="{name}"></a>' in page
    for each in VARIANTS.values():
        assert rules_docs.escaped(each.sends) in page
        assert f"Accepted: {rules_docs.escaped(each.expects.description)}." in page


def test_every_row_of_http1_is_a_rule_or_named_with_the_reason_why_not():
    rules = {int(rule.alias.partition("-")[0][1:]) for rule in http1.RULES if rule.alias}
    unobservable = {int(each.alias[1:]) for each in http1.UNOBSERVABLE if each.why}
    assert not rules & unobservable
    assert rules | unobservable == set(range(1, http1.ROWS + 1))


def test_every_row_of_pep_3333_is_a_rule_or_named_with_the_reason_why_not():
    rules = {rule.alias.partition("-")[0] for rule in (*pep3333.RULES, *pep3333.LAST)} - {""}
    rows = {f"W{number}" for number in range(1, pep3333.ROWS + 1)}
    unobservable = {each.alias for each in pep3333.UNOBSERVABLE if each.why}
    assert not rules & unobservable
    assert rules | unobservable == rows


def test_a_new_rule_needs_no_alias(monkeypatch):
    before = rules_docs.rows()
    new = replace(http1.RULES[0], id="version/new", alias="")
    monkeypatch.setattr(http1, "RULES", (*http1.RULES, new))
    monkeypatch.setitem(rules_docs.GROUPS, "conformance", http1.RULES)
    assert rules_docs.rows() == before
    assert '<a id="version/new"></a>\n' in rules_docs.render()


def mismatch(name: str, *scripts, within: float | None) -> Mismatch | None:
    each = VARIANTS[name]
    steps = each.steps if within is None else hurried(each.steps, scripts, within)
    return each.expects.mismatch(run_scenario(name, steps, *scripts))


def hurried(steps: tuple[Step, ...], scripts: Scripts, within: float) -> tuple[Step, ...]:
    """Steps that wait for a server's own time, for scripts that do at once what they do, but for
    their pauses."""
    pauses = [sum(item.seconds for item in script if isinstance(item, Pause)) for script in scripts]
    return tuple(
        replace(
            step,
            within=min(step.within, within + max(pauses)),
            every=step.every / 100,
            times=min(step.times, 3),
        )
        for step in steps
    )


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize("name", GREEN)
def test_a_server_that_meets_it_is_green(name):
    never = name in (*scripts_slow.GREEN, *scripts_stop.GREEN, "input/end-of-content/next")
    assert mismatch(name, *GREEN[name], within=KEEPING if never else None) is None


@pytest.fixture
def quiet_machine(monkeypatch):
    """What is red because a step gets nothing is so after its seconds by the clock, too."""
    monkeypatch.setattr(load_adjusted_clock, "share", lambda: 1.0)
    # No clock of its own for each test: that is a thread which looks at the machine for ever.
    monkeypatch.setattr(load_adjusted_clock, "_clock", [SimpleNamespace(now=time.monotonic)])


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_machine")
@pytest.mark.parametrize(("name", "number"), [(n, i) for n in RED for i in range(len(RED[n]))])
def test_a_server_that_breaks_it_is_red(name, number):
    found = mismatch(name, *RED[name][number], within=HURRIED)
    assert found is not None
    assert found.expected == VARIANTS[name].expects.description
    assert found.actual
