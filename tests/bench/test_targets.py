"""What the issue asks for: reached, not reached, not measured."""

from __future__ import annotations

import pytest

from bench.targets import Target, behind, targets
from tests.bench.helpers import sample, trial


def only(found: list[Target], text: str) -> Target:
    """The one target whose text contains ``text``."""
    (target,) = [each for each in found if text in each.text]
    return target


def test_nothing_measured_is_neither_yes_nor_no() -> None:
    found = targets([], [])
    assert {each.id for each in found} == {"a", "b", "c", "d"}
    assert {each.reached for each in found} == {None}


@pytest.mark.parametrize(("mine", "reached"), [(99.0, False), (100.0, True), (101.0, True)])
def test_a_is_against_the_best_of_all_peers(mine: float, reached: bool) -> None:
    speeds = {"onegate": mine, "bjoern": 100.0, "waitress": 10.0, "nginx": 999.0}
    samples = [sample(name, speed, app="flask", scenario="close") for name, speed in speeds.items()]
    target = only(targets([], samples), "flask, close")
    assert (target.reached, target.against) == (reached, "bjoern")


@pytest.mark.parametrize(("mine", "reached"), [(299.0, False), (300.0, True)])
def test_b_is_against_the_best_of_one_product(mine: float, reached: bool) -> None:
    speeds = {"onegate": mine, "gunicorn-sync": 100.0, "gunicorn-gthread-t4": 50.0, "bjoern": 900.0}
    samples = [sample(name, speed, app="pyramid") for name, speed in speeds.items()]
    target = only(targets([], samples), "gunicorn's best, pyramid")
    assert (target.reached, target.against) == (reached, "gunicorn-sync")


def test_c_is_against_the_least_latency() -> None:
    samples = [
        sample("onegate", 50.0, scenario="rate", p99_us=900.0),
        sample("bjoern", 50.0, scenario="rate", p99_us=1000.0),
        sample("granian", 50.0, scenario="rate", p99_us=800.0),
    ]
    target = only(targets([], samples), "same rate, raw")
    assert target.reached is False
    assert target.against == "granian"


@pytest.mark.parametrize(("mine", "reached"), [(30 << 20, True), ((30 << 20) + 1, False)])
def test_d_is_against_waitress(mine: int, reached: bool) -> None:
    trials = [trial("onegate", own=mine), trial("waitress", own=30 << 20)]
    assert only(targets(trials, []), "waitress's, raw").reached is reached


def test_what_onegate_did_with_errors_reaches_nothing() -> None:
    samples = [
        sample("onegate", 900.0, app="flask", problems={"status": 1}),
        sample("bjoern", 100.0, app="flask"),
    ]
    assert only(targets([], samples), "flask, keepalive").reached is None


def test_behind_names_the_first_and_by_how_much() -> None:
    samples = [
        sample("onegate", 80.0),
        sample("bjoern", 100.0),
        sample("onegate", 80.0, scenario="close"),
        sample("bjoern", 40.0, scenario="close"),
    ]
    (found,) = behind(samples)
    assert (found.scenario, found.first, found.rps.median) == ("keepalive", "bjoern", 0.8)
    assert found.cpu is not None
    assert found.cpu.median == pytest.approx(1.25)
