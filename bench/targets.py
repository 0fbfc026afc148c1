"""What the issue asks of onegate, as a list of yes and no with the figures behind each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.catalogue import SERVER
from bench.figures import Group, Measure, Spread, cpu, groups, p99, rps
from bench.model import ONEGATE, Sample, Trial

FRAMEWORKS = ("flask", "django", "pyramid")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One demand. ``reached`` is None where it was not measured."""

    id: str
    text: str
    limit: float
    at_least: bool  # or at most
    value: Spread | None
    against: str

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps the limit."""
        if self.value is None:
            return None
        if self.at_least:
            return self.value.median >= self.limit
        return self.value.median <= self.limit


def _names(group: Group, product: str = "") -> list[str]:
    return [name for name in group.peers() if not product or SERVER[name].product == product]


def _compare(
    group: Group | None, measure: Measure, *, product: str = "", least: bool = False
) -> tuple[Spread | None, str]:
    """onegate's value as a ratio to the best of some peers, and that peer's name."""
    if group is None or not group.valid(ONEGATE):
        return None, ""
    best = group.best(_names(group, product), measure, least=least)
    return (group.ratio(ONEGATE, best, measure), best) if best else (None, "")


def targets(trials: Sequence[Trial], samples: Sequence[Sample]) -> list[Target]:
    """All demands, in the issue's order."""
    found = groups(samples)
    result = []
    for scenario in ("keepalive", "close"):
        for app in FRAMEWORKS:
            value, against = _compare(found.get((app, scenario)), rps)
            text = f"requests/s as a multiple of the best peer's, {app}, {scenario}"
            result.append(
                Target(id="a", text=text, limit=1.0, at_least=True, value=value, against=against)
            )
    for app in ("pyramid", "raw"):
        for product, limit in (("gunicorn", 3.0), ("waitress", 2.0)):
            value, against = _compare(found.get((app, "keepalive")), rps, product=product)
            text = f"requests/s as a multiple of {product}'s best, {app}, keepalive"
            result.append(
                Target(id="b", text=text, limit=limit, at_least=True, value=value, against=against)
            )
    for scenario, load in (
        ("rate", "at the same rate"),
        ("keepalive", "with the same number of clients"),
    ):
        for app in ("raw", *FRAMEWORKS):
            value, against = _compare(found.get((app, scenario)), p99, least=True)
            text = f"p99 latency as a multiple of the best peer's {load}, {app}"
            result.append(
                Target(id="c", text=text, limit=1.0, at_least=False, value=value, against=against)
            )
    memory = {
        (each.app, each.server): each.memory.worker_anonymous for each in trials if each.memory
    }
    for app in ("raw", *FRAMEWORKS):
        mine, theirs = memory.get((app, ONEGATE)), memory.get((app, "waitress"))
        value = Spread.of([mine / theirs] if mine and theirs else [])
        text = f"the worker's own memory as a multiple of waitress's, {app}"
        result.append(
            Target(id="d", text=text, limit=1.0, at_least=False, value=value, against="waitress")
        )
    return result


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
        ratio = group.ratio(ONEGATE, best, rps) if best else None
        if ratio is not None and ratio.median < 1.0 and scenario != "rate":
            cost = group.ratio(ONEGATE, best, cpu)
            result.append(Behind(app=app, scenario=scenario, first=best, rps=ratio, cpu=cost))
    return result
