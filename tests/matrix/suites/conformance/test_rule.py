"""A rule: what is run for it, when it is met, and what is told of a server that does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from wsgi_matrix.model.mismatch import Mismatch
from wsgi_matrix.model.results import Level, Outcome
from wsgi_matrix.model.wire import Transcript, WireEvent
from wsgi_matrix.suites.conformance import rule as rules
from wsgi_matrix.suites.conformance.matchers import Matcher
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import responses, send

STEPS = (send(b"GET"), responses("GET"))


def awaits(octets: bytes) -> Matcher:
    """A matcher for a transcript in which ``octets`` came."""
    came = f"not {octets!r}"
    return Matcher(f"{octets!r} comes", lambda t: None if octets in t.received() else came)


ONE = Variant(sends="a request", steps=STEPS, expects=awaits(b"yes"))
PLUS = replace(ONE, name="plus", sends="a plus", expects=awaits(b"+"), alone=True)
MINUS = replace(ONE, name="minus", sends="a minus", expects=awaits(b"-"))


def rule(*variants: Variant, **changes: Any) -> Rule:
    values: dict[str, Any] = {
        "id": "signs/each",
        "alias": "R0",
        "level": Level.MUST,
        "cite": "RFC 0 section 1",
        "title": "Each sign is answered",
        "text": "A server MUST answer each sign.",
    }
    return Rule(**(values | {"variants": variants or (ONE,)} | changes))


def transcript(*events: tuple[str, bytes], on: str = "a") -> Transcript:
    sent = WireEvent(at=0.0, on=on, what="sent", data=b"GET")
    came = [WireEvent(at=0.1, on=on, what=what, data=data) for what, data in events]
    return Transcript(name="t", events=(sent, *came))


def judge(found: Rule, **transcripts: Transcript):
    """By the names of the scenarios, ``_`` for what no name of Python can have."""
    names = {name.replace("__", "/"): value for name, value in transcripts.items()}
    return found.judge(SimpleNamespace(transcripts=names))  # type: ignore[arg-type]


YES = transcript(("received", b"yes"))
NO = transcript(("received", b"no"), ("fin", b""))


def test_each_variant_has_a_scenario_of_its_own() -> None:
    scenarios = rule(PLUS, MINUS, app="signs").scenarios()
    assert [each.name for each in scenarios] == ["signs/each/plus", "signs/each/minus"]
    assert [each.alone for each in scenarios] == [True, False]
    assert {(each.steps, each.app) for each in scenarios} == {(STEPS, "signs")}
    [only] = rule().scenarios()
    assert only.name == "signs/each"


def test_one_that_is_judged_on_scenarios_of_another_has_none_of_its_own() -> None:
    found = rule(PLUS, judged_on="signs/first")
    assert found.scenarios() == ()
    assert found.scenario_name(PLUS) == "signs/first/plus"
    assert found.variant_name(PLUS) == "signs/each/plus"
    assert judge(found, signs__first__plus=transcript(("received", b"+")))[0] is Outcome.PASS


def test_it_is_a_check_of_a_cell() -> None:
    case = rule(PLUS, MINUS, app="signs").case()
    assert (case.id, case.alias, case.level, case.app) == ("signs/each", "R0", Level.MUST, "signs")
    assert (case.title, case.says) == ("Each sign is answered", "A server MUST answer each sign.")
    assert case.cite == "RFC 0 section 1"
    assert case.evidence == ("signs/each/plus", "signs/each/minus")
    assert judge(rule(), signs__each=YES) == rule().case().judge(  # type: ignore[arg-type]
        SimpleNamespace(transcripts={"signs/each": YES})
    )


def test_it_is_met_where_every_variant_gets_what_it_expects() -> None:
    both = rule(PLUS, MINUS)
    plus, minus = (transcript(("received", sign)) for sign in (b"+", b"-"))
    assert judge(both, signs__each__plus=plus, signs__each__minus=minus) == (Outcome.PASS, "")
    outcome, found = judge(both, signs__each__plus=plus, signs__each__minus=plus)
    assert outcome is Outcome.FAIL
    [mismatch] = found
    assert isinstance(mismatch, Mismatch)
    assert (mismatch.variant, mismatch.sends) == ("minus", "a minus")
    assert (mismatch.expected, mismatch.actual) == ("b'-' comes", "not b'-'")


def test_figures_of_those_that_are_met_are_told() -> None:
    measured = replace(ONE, figure=lambda found: f"{len(found.events)} events")
    silent = replace(ONE, name="silent")
    found = rule(measured, silent, replace(measured, name="again"))
    transcripts = {
        "signs__each": YES,
        "signs__each__silent": YES,
        "signs__each__again": YES,
    }
    assert judge(found, **transcripts) == (Outcome.PASS, "2 events; 2 events")
    assert judge(found, **transcripts | {"signs__each__silent": NO})[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("level", "outcome"),
    [(Level.MUST, Outcome.FAIL), (Level.SHOULD, Outcome.FAIL), (Level.MAY, Outcome.DIFFER)],
)
def test_what_a_standard_leaves_open_can_only_differ(level: Level, outcome: Outcome) -> None:
    assert judge(rule(level=level), signs__each=NO)[0] is outcome
    assert judge(rule(level=level), signs__each=YES)[0] is Outcome.PASS


def test_what_was_not_run_is_no_failure_of_the_server() -> None:
    assert judge(rule()) == (Outcome.ERROR, "signs/each was not run")


REFUSED = ("error", b"connect: ECONNREFUSED")


def test_a_server_that_was_never_reached_breaks_no_rule() -> None:
    never = Transcript(name="t", events=(WireEvent(at=0.0, on="a", what="error", data=REFUSED[1]),))
    outcome, detail = judge(rule(), signs__each=never)
    assert outcome is Outcome.ERROR
    assert detail == "signs/each: no connection to the server (connect: ECONNREFUSED)"
    other = transcript(("error", b"reset by peer"))
    assert judge(rule(), signs__each=other)[0] is Outcome.FAIL
    # One of several that was let in says that the server was there.
    assert judge(rule(), signs__each=transcript(REFUSED))[0] is Outcome.FAIL


def test_a_server_that_ended_over_it_has_not_met_it() -> None:
    gone = transcript(("received", b"yes"), ("gone", b""))
    outcome, [mismatch] = judge(rule(), signs__each=gone)
    assert outcome is Outcome.FAIL
    assert mismatch.expected == "b'yes' comes; and the server continues to run"
    assert mismatch.actual == "the server exited"


def test_what_was_on_the_wire_stands_with_a_mismatch() -> None:
    _, [mismatch] = judge(rule(), signs__each=NO)
    [excerpt] = mismatch.connections
    assert (excerpt.name, excerpt.end, mismatch.more_connections) == ("a", "fin", 0)
    assert (excerpt.sent, excerpt.received) == ("b'GET'", "b'no'")


def test_of_many_connections_a_few_are_shown_and_the_others_counted() -> None:
    events = [transcript(on=f"c{n}").events[0] for n in range(rules.MOST_SHOWN + 3)]
    many = Transcript(name="t", events=(*events, *events))
    _, [mismatch] = judge(rule(), signs__each=many)
    assert [each.name for each in mismatch.connections] == [
        f"c{n}" for n in range(rules.MOST_SHOWN)
    ]
    assert mismatch.more_connections == 3


def test_long_octets_are_shown_in_part_with_their_number() -> None:
    assert rules.shown(b"") == ""
    assert rules.shown(b"x" * rules.SHOWN) == repr(b"x" * rules.SHOWN)
    long = rules.shown(b"x" * (rules.SHOWN + 1))
    assert long == repr(b"x" * rules.SHOWN) + f"… ({rules.SHOWN + 1} octets)"
