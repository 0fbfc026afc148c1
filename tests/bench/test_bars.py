"""The bars: reached, not reached, not measured, and against whom."""

from __future__ import annotations

import pytest

from bench.bars import BARS, BEST, Bar, Verdict, behind, verdicts
from bench.catalogue import SCENARIO, SERVERS
from bench.model import BASELINE, ONEGATE, PURE, Sample, Trial
from tests.bench.helpers import sample, trial


def only(
    samples: list[Sample],
    measure: str,
    against: str = BEST,
    *,
    subject: str = ONEGATE,
    trials: list[Trial] | None = None,
) -> Verdict:
    """The verdict on one bar about the app and the load of ``samples``."""
    (found,) = [
        each
        for each in verdicts(trials or [], samples)
        if (each.bar.app, each.bar.scenario) == (samples[0].app, samples[0].scenario)
        and (each.bar.measure, each.bar.against, each.bar.subject) == (measure, against, subject)
    ]
    return found


def rounds(
    count: int, app: str = "flask", scenario: str = "traffic", **speeds: float
) -> list[Sample]:
    """``count`` rounds of servers, named with underscores; processor time is 1 s / speed."""
    return [
        sample(name.replace("_", "-"), speed, number, app=app, scenario=scenario)
        for number in range(count)
        for name, speed in speeds.items()
    ]


def test_bars_are_about_what_there_is_and_declared_once() -> None:
    names = {each.product for each in SERVERS} | {BEST, BASELINE}
    for bar in BARS:
        assert bar.app in SCENARIO[bar.scenario].apps
        assert bar.against in names
        assert bar.subject in (ONEGATE, PURE)
    assert len({(bar.name, bar.against) for bar in BARS}) == len(BARS)


@pytest.mark.parametrize(
    ("scenario", "app", "measure", "against", "subject", "limit", "count"),
    [
        *(
            (scenario, app, measure, BEST, ONEGATE, 1.0, 7)
            for scenario in ("traffic", "traffic-close")
            for app in ("flask", "django", "pyramid")
            for measure in ("cpu", "rps")
        ),
        ("traffic", "raw", "cpu", BEST, ONEGATE, 1.2, 7),
        ("traffic-close", "raw", "cpu", BASELINE, ONEGATE, 0.35, 7),
        ("traffic", "django", "cpu", BEST, PURE, 1.12, 7),
        ("traffic", "raw", "cpu", BASELINE, PURE, 0.6, 7),
        ("keepalive", "raw", "cpu", BASELINE, ONEGATE, 1.02, 7),
        ("close", "django", "rps", BASELINE, ONEGATE, 0.98, 7),
        ("upload", "payload", "rps", "granian", ONEGATE, 1.0, 7),
        ("large", "payload", "rps", BEST, ONEGATE, 1.0, 7),
        ("idle", "raw", "rps", BEST, ONEGATE, 1.0, 7),
        ("threads", "raw", "rps", BEST, ONEGATE, 1.0, 7),
        ("workers", "flask", "rps", BEST, ONEGATE, 1.0, 7),
        ("rate", "pyramid", "p99", BEST, ONEGATE, 1.0, 15),
        ("traffic", "raw", "memory", BASELINE, ONEGATE, 1.0, 7),
    ],
)
def test_what_was_asked_for_is_declared(
    scenario: str, app: str, measure: str, against: str, subject: str, limit: float, count: int
) -> None:
    wanted = (scenario, app, measure, against, subject, limit, count)
    assert wanted in {
        (b.scenario, b.app, b.measure, b.against, b.subject, b.limit, b.rounds) for b in BARS
    }


def test_nothing_measured_is_neither_yes_nor_no() -> None:
    found = verdicts([], [])
    assert [each.bar for each in found] == list(BARS)
    assert {each.reached for each in found} == {None}
    assert {each.value for each in found} == {None}


@pytest.mark.parametrize(("mine", "reached"), [(99.0, False), (100.0, True), (101.0, True)])
def test_requests_are_against_the_best_of_all_peers(mine: float, reached: bool) -> None:
    found = only(rounds(7, onegate=mine, bjoern=100.0, waitress=10.0, nginx=999.0), "rps")
    assert (found.reached, found.against) == (reached, "bjoern")


@pytest.mark.parametrize(("mine", "reached"), [(99.0, False), (100.0, True), (101.0, True)])
def test_processor_time_is_against_the_least_of_all_peers(mine: float, reached: bool) -> None:
    # Which answers fewer requests/s than another.
    samples = rounds(7, onegate=mine, granian=50.0, bjoern=100.0)
    samples = [
        sample(each.server, 900.0, each.round, app=each.app, scenario=each.scenario, cpu_us=2e4)
        if each.server == "granian"
        else each
        for each in samples
    ]
    assert only(samples, "rps").against == "granian"
    found = only(samples, "cpu")
    assert (found.reached, found.against) == (reached, "bjoern")


@pytest.mark.parametrize(("count", "reached"), [(6, None), (7, True)])
def test_too_few_rounds_say_nothing(count: int, reached: bool | None) -> None:
    found = only(rounds(count, onegate=200.0, bjoern=100.0), "rps")
    assert found.value is not None
    assert (found.value.median, found.rounds, found.reached) == (2.0, count, reached)


def test_a_latency_takes_more_rounds() -> None:
    for count, reached in ((14, None), (15, True)):
        found = only(rounds(count, "raw", "rate", onegate=100.0, bjoern=100.0), "p99")
        assert found.reached is reached


@pytest.mark.parametrize(("mine", "reached"), [(250.0, False), (300.0, True)])
def test_a_bar_against_a_build(mine: float, reached: bool) -> None:
    samples = rounds(7, "raw", onegate=mine, onegate_baseline=100.0, bjoern=900.0)
    found = only(samples, "cpu", BASELINE)
    assert (found.reached, found.against) == (reached, BASELINE)
    assert only(samples, "cpu").value is not None


def test_without_the_other_build_nothing_is_said() -> None:
    found = only(rounds(7, "raw", onegate=900.0, bjoern=100.0), "cpu", BASELINE)
    assert (found.value, found.reached) == (None, None)


@pytest.mark.parametrize(
    ("there", "median"), [(["onegate", "onegate-pure"], 2.0), (["onegate"], 1.0)]
)
def test_the_pure_build_is_onegate_where_nothing_is_compiled(
    there: list[str], median: float
) -> None:
    samples = rounds(7, onegate=100.0, onegate_pure=50.0, bjoern=100.0)
    trials = [trial(name, "flask") for name in there]
    found = only(samples, "cpu", subject=PURE, trials=trials)
    assert found.value is not None
    assert found.value.median == pytest.approx(median)


def test_a_bar_against_one_product_takes_its_best_form() -> None:
    speeds = {"gunicorn_sync": 100.0, "gunicorn_gthread": 50.0, "bjoern": 900.0}
    for mine, reached in ((299.0, False), (300.0, True)):
        found = only(rounds(7, "pyramid", "keepalive", onegate=mine, **speeds), "rps", "gunicorn")
        assert (found.reached, found.against) == (reached, "gunicorn-sync")


@pytest.mark.parametrize(("scenario", "suffix"), [("threads", "-t4"), ("workers", "-w4")])
def test_with_four_of_them_the_forms_with_four_are_compared(scenario: str, suffix: str) -> None:
    names = {f"onegate{suffix}": 90.0, f"granian{suffix}": 100.0}
    found = only(rounds(7, "raw", scenario, **names), "rps")
    assert (found.reached, found.against) == (False, f"granian{suffix}")
    assert found.value is not None
    assert found.value.median == 0.9


@pytest.mark.parametrize(("mine", "reached"), [(30 << 20, True), ((30 << 20) + 1, False)])
def test_memory_is_of_the_worker_behind_each_slice(mine: int, reached: bool) -> None:
    owned = {"onegate": mine, "onegate-baseline": 30 << 20, "waitress": 20 << 20, "bjoern": 1}
    samples = [
        sample(name, 1.0, number, scenario="traffic", own_memory=octets)
        for number in range(7)
        for name, octets in owned.items()
    ]
    found = only(samples, "memory", BASELINE)
    assert (found.reached, found.against) == (reached, BASELINE)
    assert only(samples, "memory", "waitress").reached is False


def test_what_onegate_did_with_errors_reaches_nothing() -> None:
    samples = rounds(7, onegate=900.0, bjoern=100.0)
    samples[0] = sample("onegate", 900.0, app="flask", scenario="traffic", problems={"status": 1})
    assert only(samples, "rps").reached is None


def test_a_peer_with_errors_is_not_the_best() -> None:
    samples = rounds(7, onegate=100.0, bjoern=50.0)
    samples += [
        sample("granian", 900.0, number, app="flask", scenario="traffic", problems={"read": 1})
        for number in range(7)
    ]
    assert only(samples, "rps").against == "bjoern"


def test_names_say_what_and_of_whom() -> None:
    bar = Bar(
        part="x", scenario="traffic", app="raw", measure="cpu", limit=1, against=BEST, subject=PURE
    )
    assert bar.name == (
        "processor time per request of onegate-pure, raw, no two requests alike, keep-alive"
    )


def test_behind_names_the_first_and_by_how_much() -> None:
    samples = [
        sample("onegate", 80.0),
        sample("bjoern", 100.0),
        sample("onegate", 80.0, scenario="close"),
        sample("bjoern", 40.0, scenario="close"),
        sample("onegate", 80.0, scenario="rate"),
        sample("bjoern", 100.0, scenario="rate"),
    ]
    (found,) = behind(samples)
    assert (found.scenario, found.first, found.rps.median) == ("keepalive", "bjoern", 0.8)
    assert found.cpu is not None
    assert found.cpu.median == pytest.approx(1.25)
