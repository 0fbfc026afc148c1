"""The arithmetic: ratios within a round, medians over rounds."""

from __future__ import annotations

import pytest

from bench.figures import Group, Spread, cpu, figures, p99, rps
from tests.bench.helpers import sample


def test_spread_of_nothing_is_none() -> None:
    assert Spread.of([]) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], Spread(median=3.0, min=3.0, max=3.0)),
        ([5.0, 1.0, 2.0], Spread(median=2.0, min=1.0, max=5.0)),
        ([4.0, 1.0, 2.0, 9.0], Spread(median=3.0, min=1.0, max=9.0)),
    ],
)
def test_spread(values: list[float], expected: Spread) -> None:
    assert Spread.of(values) == expected


def test_a_ratio_is_taken_within_a_round() -> None:
    # The machine halves its speed in every round: no ratio of medians would be 2 in each.
    group = Group(
        sample(server, speed / 2**number, number)
        for number in range(3)
        for server, speed in (("onegate", 2000.0), ("bjoern", 1000.0))
    )
    assert group.ratio("onegate", "bjoern", rps) == Spread(median=2.0, min=2.0, max=2.0)
    assert group.ratio("bjoern", "onegate", cpu) == Spread(median=2.0, min=2.0, max=2.0)


def test_the_median_of_ratios_is_not_the_ratio_of_medians() -> None:
    pairs = [(100.0, 100.0), (10.0, 40.0), (90.0, 30.0)]
    group = Group(
        sample(server, value, number)
        for number, pair in enumerate(pairs)
        for server, value in zip(("onegate", "bjoern"), pair, strict=True)
    )
    assert group.ratio("onegate", "bjoern", rps) == Spread(median=1.0, min=0.25, max=3.0)


def test_only_rounds_of_both_are_compared() -> None:
    group = Group(
        [sample("onegate", 10.0, 0), sample("onegate", 20.0, 1), sample("bjoern", 5.0, 1)]
    )
    assert group.ratio("onegate", "bjoern", rps) == Spread(median=4.0, min=4.0, max=4.0)
    assert group.ratio("onegate", "granian", rps) is None


def test_a_round_without_requests_has_no_ratio() -> None:
    dead = sample("bjoern", 1.0, 0, requests=0, p99_us=0.0)
    group = Group([sample("onegate", 10.0, 0), dead])
    assert group.ratio("onegate", "bjoern", p99) is None
    assert group.ratio("bjoern", "onegate", p99) is None


def test_the_best_is_chosen_once_for_all_rounds_by_its_median() -> None:
    lucky = [sample("bjoern", value, n) for n, value in enumerate((10.0, 99.0, 11.0))]
    steady = [sample("granian", value, n) for n, value in enumerate((20.0, 21.0, 22.0))]
    group = Group([*lucky, *steady])
    assert group.best(group.peers(), rps) == "granian"
    assert group.best(group.peers(), p99, least=True) == "granian"


def test_the_best_is_the_best_beside_onegate() -> None:
    # By its own median granian would be: 75 against 74.
    rounds = {
        "onegate": (100.0, 50.0, 80.0),
        "granian": (90.0, 60.0, 75.0),
        "bjoern": (200.0, 55.0, 74.0),
    }
    samples = [sample(name, v, n) for name, values in rounds.items() for n, v in enumerate(values)]
    group = Group(samples)
    assert group.best(group.peers(), rps) == "bjoern"
    assert group.best(group.peers(), p99, least=True) == "bjoern"


def test_one_bad_round_keeps_a_server_from_being_the_best() -> None:
    bad = [sample("bjoern", 99.0, 0), sample("bjoern", 99.0, 1, problems={"read": 3})]
    group = Group([*bad, sample("granian", 1.0, 0), sample("granian", 1.0, 1)])
    assert group.best(group.peers(), rps) == "granian"
    assert group.problems("bjoern") == {"read": 3}


def test_neither_onegate_nor_the_ceilings_are_peers() -> None:
    names = ("onegate", "onegate-t4", "nginx", "in-process", "bjoern", "waitress-t4")
    assert Group(sample(name, 1.0) for name in names).peers() == ["bjoern", "waitress-t4"]


def test_problems_add_up_over_rounds_and_silence_is_one() -> None:
    group = Group(
        [
            sample("bjoern", 1.0, 0, problems={"read": 1, "status": 2}),
            sample("bjoern", 1.0, 1, problems={"read": 4}),
            sample("granian", 0.1, 0, requests=0),
        ]
    )
    assert group.problems("bjoern") == {"read": 5, "status": 2}
    assert group.problems("granian") == {"no answer": 1}


def test_figures_of_a_load_the_fastest_first() -> None:
    found = figures(
        [
            sample("onegate", 300.0),
            sample("bjoern", 400.0),
            sample("granian", 900.0, problems={"timeout": 1}),
            sample("in-process", 1000.0),
        ]
    )
    assert [each.server for each in found] == ["in-process", "granian", "bjoern", "onegate"]
    mine = found[-1]
    assert mine.to_best_peer == Spread(median=0.75, min=0.75, max=0.75)
    assert mine.to_ceiling == Spread(median=0.3, min=0.3, max=0.3)
    assert mine.valid
    assert not found[1].valid


def test_loads_are_apart() -> None:
    found = figures(
        [sample("onegate", 10.0), sample("onegate", 5.0, scenario="close"), sample("bjoern", 20.0)]
    )
    ratios = {(each.scenario, each.server): each.to_best_peer for each in found}
    assert ratios["keepalive", "onegate"] == Spread(median=0.5, min=0.5, max=0.5)
    assert ratios["close", "onegate"] is None
