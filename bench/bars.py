"""The bars: what is asked of onegate, each a ratio and its limit, and whether it is reached.

They are declared here and nowhere else. A bar is judged by the median of ratios that were taken
within a round, over at least so many rounds; with fewer, its ratio is shown and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.catalogue import SCENARIO, SERVER, form
from bench.figures import Group, Measure, Spread, cpu, groups, own_memory, p99, rps
from bench.model import BASELINE, ONEGATE, PURE, Sample, Trial

FRAMEWORKS = ("flask", "django", "pyramid")
APPS = ("raw", *FRAMEWORKS)
ROUNDS, LATENCY_ROUNDS = 7, 15
BEST = "the best peer"
"""Chosen once for all rounds, by the measure that the bar is about."""

MEASURES: dict[str, tuple[str, Measure]] = {
    "cpu": ("processor time per request", cpu),
    "rps": ("requests/s", rps),
    "p99": ("p99 latency", p99),
    "memory": ("the worker's own memory", own_memory),
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One demand: ``limit`` × what ``against`` has, of which requests/s are wanted and all else
    is not. ``against``: :data:`BEST`, a product of which the best form counts, or a build.
    """

    part: str
    scenario: str
    app: str
    measure: str
    limit: float
    against: str
    subject: str = ONEGATE
    rounds: int = ROUNDS

    @property
    def at_least(self) -> bool:
        """Whether more is better."""
        return self.measure == "rps"

    @property
    def name(self) -> str:
        """Unique, and readable."""
        who = "" if self.subject == ONEGATE else f" of {self.subject}"
        title = SCENARIO[self.scenario].title
        return f"{MEASURES[self.measure][0]}{who}, {self.app}, {title}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A bar, and what was measured. ``against`` is the server that the ratio is to."""

    bar: Bar
    value: Spread | None = None
    against: str = ""
    rounds: int = 0

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps the limit; None where too little was measured to say so."""
        if self.value is None or self.rounds < self.bar.rounds:
            return None
        if self.bar.at_least:
            return self.value.median >= self.bar.limit
        return self.value.median <= self.bar.limit


def _bars(
    part: str,
    scenarios: Iterable[str],
    apps: Iterable[str],
    limits: dict[str, float],
    against: str,
    *,
    subject: str = ONEGATE,
    rounds: int = ROUNDS,
) -> list[Bar]:
    return [
        Bar(
            part=part,
            scenario=scenario,
            app=app,
            measure=measure,
            limit=limit,
            against=against,
            subject=subject,
            rounds=rounds,
        )
        for scenario in scenarios
        for app in apps
        for measure, limit in limits.items()
    ]


TRAFFIC = ("traffic", "traffic-close")
SAME = ("keepalive", "close")
AS_IT_COMES, THE_PURE = "traffic as it comes", "traffic, the build without compiled modules"

BARS = (
    *_bars(AS_IT_COMES, TRAFFIC, FRAMEWORKS, {"cpu": 1.0, "rps": 1.0}, BEST),
    *_bars(AS_IT_COMES, TRAFFIC, ("raw",), {"cpu": 1.2}, BEST),
    *_bars(AS_IT_COMES, TRAFFIC, ("raw",), {"cpu": 0.35}, BASELINE),
    *_bars(THE_PURE, TRAFFIC, FRAMEWORKS, {"cpu": 1.12}, BEST, subject=PURE),
    *_bars(THE_PURE, TRAFFIC, ("raw",), {"cpu": 0.6}, BASELINE, subject=PURE),
    *_bars("same octets", SAME, APPS, {"cpu": 1.02, "rps": 0.98}, BASELINE),
    *_bars("content", ("upload",), ("payload",), {"rps": 1.0}, "granian"),
    *_bars("content", ("large",), ("payload",), {"rps": 1.0}, BEST),
    *_bars("connections, threads, workers", ("idle", "threads"), ("raw",), {"rps": 1.0}, BEST),
    *_bars("connections, threads, workers", ("workers",), ("raw", "flask"), {"rps": 1.0}, BEST),
    *_bars("memory", ("traffic",), APPS, {"memory": 1.0}, BASELINE),
    *_bars("latency", ("rate",), APPS, {"p99": 1.0}, BEST, rounds=LATENCY_ROUNDS),
    # Of earlier versions: they still hold, or they do not.
    *_bars("same octets, beside peers", SAME, FRAMEWORKS, {"rps": 1.0}, BEST),
    *_bars("same octets, beside peers", SAME[:1], ("pyramid", "raw"), {"rps": 3.0}, "gunicorn"),
    *_bars("same octets, beside peers", SAME[:1], ("pyramid", "raw"), {"rps": 2.0}, "waitress"),
    *_bars("same octets, beside peers", SAME[:1], APPS, {"p99": 1.0}, BEST),
    *_bars("memory", ("traffic",), APPS, {"memory": 1.0}, "waitress"),
)


def subject_of(bar: Bar, trials: Sequence[Trial]) -> str:
    """The server that a bar is about: where nothing is compiled, onegate is its own pure build."""
    there = {each.server for each in trials}
    name = ONEGATE if bar.subject == PURE and PURE not in there else bar.subject
    return form(name, bar.scenario)


def _opponent(bar: Bar, group: Group, measure: Measure) -> str:
    """The name of the server that a bar is against; empty if it has no valid figure."""
    if bar.against == BASELINE:
        baseline = form(BASELINE, bar.scenario)
        return baseline if group.valid(baseline) else ""
    names = [name for name in group.peers() if bar.against in (BEST, SERVER[name].product)]
    return group.best(names, measure, least=not bar.at_least)


def _verdict(bar: Bar, group: Group | None, subject: str) -> Verdict:
    if group is None or not group.valid(subject):
        return Verdict(bar=bar)
    measure = MEASURES[bar.measure][1]
    opponent = _opponent(bar, group, measure)
    value = group.ratio(subject, opponent, measure) if opponent else None
    if value is None:
        return Verdict(bar=bar)
    rounds = len(group.rounds[subject].keys() & group.rounds[opponent].keys())
    return Verdict(bar=bar, value=value, against=opponent, rounds=rounds)


def verdicts(trials: Sequence[Trial], samples: Sequence[Sample]) -> list[Verdict]:
    """What was measured of each bar, in the order in which they are declared."""
    found = groups(samples)
    return [
        _verdict(bar, found.get((bar.app, bar.scenario)), subject_of(bar, trials)) for bar in BARS
    ]


@dataclass(frozen=True, kw_only=True)
class Behind:
    """Where onegate is not first: its requests/s, and what a request costs, as ratios."""

    app: str
    scenario: str
    first: str
    rps: Spread
    cpu: Spread | None


def behind(samples: Sequence[Sample]) -> list[Behind]:
    """Every load under which a peer answers more requests/s."""
    result = []
    for (app, scenario), group in groups(samples).items():
        best = group.best(group.peers(), rps)
        ratio = group.ratio(group.onegate, best, rps) if best else None
        if ratio is not None and ratio.median < 1.0 and not SCENARIO[scenario].fixed_rate:
            cost = group.ratio(group.onegate, best, cpu)
            result.append(Behind(app=app, scenario=scenario, first=best, rps=ratio, cpu=cost))
    return result
