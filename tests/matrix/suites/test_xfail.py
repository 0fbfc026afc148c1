"""Known quirks: what is expected, what came otherwise, and what no longer comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wsgi_matrix.model.matrix_config import Xfail
from wsgi_matrix.model.mismatch import Mismatch
from wsgi_matrix.model.results import CaseResult, Level, Outcome
from wsgi_matrix.suites import xfail


def entry(**values):
    given = {
        "suite": "hello",
        "cells": ("*-flask-*",),
        "checks": ("clean-exit",),
        "reason": "a quirk",
    }
    return Xfail(**{**given, **values})


def judged(result_of, outcome, *entries):
    outcomes = {"clean-exit": outcome} if outcome is not Outcome.PASS else {}
    [result] = xfail.apply([result_of("flask", outcomes=outcomes)], entries, "hello")
    return result, next(check for check in result.checks if check.id == "clean-exit")


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.DIFFER])
def test_what_is_expected_is_an_xfail_with_its_reason_and_what_was_found(result_of, outcome):
    result, check = judged(result_of, outcome, entry())
    assert check.outcome is Outcome.XFAIL
    assert "a quirk" in check.detail
    assert "because" in check.detail
    assert result.outcome is Outcome.XFAIL


def test_what_no_longer_happens_fails_until_the_entry_is_removed(result_of):
    result, check = judged(result_of, Outcome.PASS, entry())
    assert check.outcome is Outcome.FAIL
    assert "no longer occurs" in check.detail
    assert result.outcome is Outcome.FAIL


@pytest.mark.parametrize("outcome", [Outcome.SKIP, Outcome.ERROR])
def test_what_was_not_judged_is_neither(result_of, outcome):
    assert judged(result_of, outcome, entry())[1].outcome is outcome


@pytest.mark.parametrize(
    "other", [{"cells": ("*-django-*",)}, {"checks": ("start",)}, {"suite": "contract"}]
)
def test_an_entry_is_about_what_it_matches_only(result_of, other):
    _, check = judged(result_of, Outcome.FAIL, entry(**other))
    assert check.outcome is Outcome.FAIL


@pytest.mark.parametrize("glob", ["chunked/size-not-hex", "chunked/*", "R50", "R5?"])
def test_an_entry_may_name_a_rule_by_its_id_or_its_alias(result_of, glob):
    rule = CaseResult(
        id="chunked/size-not-hex", alias="R50", level=Level.SHOULD, outcome=Outcome.FAIL
    )
    result = replace(result_of("flask"), checks=(rule,))
    for checks, outcome in (((glob,), Outcome.XFAIL), (("R5", "size*", ""), Outcome.FAIL)):
        [found] = xfail.apply([result], [entry(checks=checks)], "hello")
        assert found.checks[0].outcome is outcome


def test_what_an_entry_expects_may_stand_in_a_mismatch(result_of):
    mismatch = Mismatch(expected="a 400 response", actual="status 200", variant="plus", sends="x")
    rule = CaseResult(
        id="a/b", level=Level.MUST, outcome=Outcome.FAIL, detail="d", mismatches=(mismatch,)
    )
    result = replace(result_of("flask"), checks=(rule,))
    [found] = xfail.apply([result], [entry(checks=("a/b",), detail="status 200")], "hello")
    assert found.checks[0].outcome is Outcome.XFAIL
    assert found.checks[0].mismatches == (mismatch,)


def test_a_failure_of_another_kind_stays_red(result_of):
    assert judged(result_of, Outcome.FAIL, entry(detail="bec"))[1].outcome is Outcome.XFAIL
    _, check = judged(result_of, Outcome.FAIL, entry(detail="^elsewhere$"))
    assert check.outcome is Outcome.FAIL
    assert "expected to match" in check.detail


@pytest.mark.parametrize(("outcome", "told"), [(Outcome.PASS, "pass: "), (Outcome.FAIL, "fail: ")])
def test_what_happens_by_chance_is_an_xfail_either_way_and_says_which(result_of, outcome, told):
    _, check = judged(result_of, outcome, entry(sometimes=True))
    assert check.outcome is Outcome.XFAIL
    assert f"a quirk\n{told}" in check.detail
