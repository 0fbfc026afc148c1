"""From samples to figures: each is a median over rounds of what was compared within a round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.catalogue import form, is_peer
from bench.model import IN_PROCESS, ONEGATE, WIRE, Sample

if TYPE_CHECKING:
    from typing import Self

Measure = Callable[[Sample], float]


def rps(sample: Sample) -> float:
    """Requests per second."""
    return sample.rps


def p99(sample: Sample) -> float:
    """The latency that 99 of 100 requests do not exceed."""
    return sample.p99_us


def cpu(sample: Sample) -> float:
    """Processor time for a request: what a crowded machine disturbs least."""
    return sample.cpu_us


def own_memory(sample: Sample) -> float:
    """What the worker has made itself, behind the slice."""
    return sample.own_memory


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A median with the least and the greatest of its values."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """The spread of ``values``; None if there are none."""
        found = sorted(values)
        return cls(median=median(found), min=found[0], max=found[-1]) if found else None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A server under one load. A ratio is this server's value divided by the other's.

    ``problems`` says what went wrong in any round, and then the figure stands for nothing.
    """

    server: str
    app: str
    scenario: str
    rps: Spread | None
    to_onegate: Spread | None
    to_best_peer: Spread | None
    to_ceiling: Spread | None
    to_wire: Spread | None
    p50_us: Spread | None
    p99_us: Spread | None
    p99_to_onegate: Spread | None
    p99_to_best_peer: Spread | None
    cpu_us: Spread | None
    cpu_to_onegate: Spread | None
    cpu_to_best_peer: Spread | None
    others: Spread | None
    load_busy: Spread | None
    idle_kept: Spread | None
    problems: dict[str, int]

    @property
    def valid(self) -> bool:
        """Whether all went well in every round."""
        return not self.problems and self.rps is not None


class Group:
    """The samples of one app under one load."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.rounds: dict[str, dict[int, Sample]] = {}
        self.onegate = ONEGATE  # its name, in the form that this load is for
        for sample in samples:
            self.rounds.setdefault(sample.server, {})[sample.round] = sample
            self.onegate = form(ONEGATE, sample.scenario)

    def of(self, server: str, measure: Measure) -> Spread | None:
        """The values of a server over the rounds."""
        return Spread.of(measure(each) for each in self.rounds.get(server, {}).values())

    def valid(self, server: str) -> bool:
        """Whether a server was measured, and every round of it was sound."""
        samples = self.rounds.get(server, {}).values()
        return bool(samples) and all(each.valid for each in samples)

    def ratio(self, server: str, other: str, measure: Measure) -> Spread | None:
        """The ratios of two servers, each from one round; only of rounds that both have."""
        mine, theirs = self.rounds.get(server, {}), self.rounds.get(other, {})
        return Spread.of(
            measure(mine[number]) / measure(theirs[number])
            for number in sorted(mine.keys() & theirs.keys())
            if measure(theirs[number]) > 0 and mine[number].requests
        )

    def best(self, names: Iterable[str], measure: Measure, *, least: bool = False) -> str:
        """The best of some servers; empty if none of them has a valid figure.

        By the median of its ratios to onegate, as all else, and by its own median where onegate
        takes no part. The choice is made once for all rounds: to take the best of each round would
        compare with the luckiest peer of the moment, which no server is.
        """
        found = []
        for name in names:
            if self.onegate in self.rounds:
                spread = self.ratio(name, self.onegate, measure)
            else:
                spread = self.of(name, measure)
            if spread is not None and self.valid(name):
                found.append((spread.median, name))
        if not found:
            return ""
        return (min if least else max)(found)[1]

    def peers(self) -> list[str]:
        """The peers that have samples."""
        return [name for name in self.rounds if is_peer(name)]

    def problems(self, server: str) -> dict[str, int]:
        """What went wrong over all rounds."""
        total: Counter[str] = Counter()
        for each in self.rounds.get(server, {}).values():
            total.update(each.problems if each.problems or each.requests else {"no answer": 1})
        return dict(total)


def groups(samples: Sequence[Sample]) -> dict[tuple[str, str], Group]:
    """The samples by app and scenario, in the order in which they came."""
    parts: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        parts.setdefault((sample.app, sample.scenario), []).append(sample)
    return {key: Group(part) for key, part in parts.items()}


def figures(samples: Sequence[Sample]) -> list[Figure]:
    """Every figure, those of a group by requests/s, the greatest first."""
    result = []
    for (app, scenario), group in groups(samples).items():
        fastest = group.best(group.peers(), rps)
        cheapest = group.best(group.peers(), cpu, least=True)
        promptest = group.best(group.peers(), p99, least=True)
        part = [
            Figure(
                server=server,
                app=app,
                scenario=scenario,
                rps=group.of(server, rps),
                to_onegate=group.ratio(server, group.onegate, rps),
                to_best_peer=group.ratio(server, fastest, rps),
                to_ceiling=group.ratio(server, IN_PROCESS, rps),
                to_wire=group.ratio(server, WIRE, rps),
                p50_us=group.of(server, lambda sample: sample.p50_us),
                p99_us=group.of(server, p99),
                p99_to_onegate=group.ratio(server, group.onegate, p99),
                p99_to_best_peer=group.ratio(server, promptest, p99),
                cpu_us=group.of(server, cpu),
                cpu_to_onegate=group.ratio(server, group.onegate, cpu),
                cpu_to_best_peer=group.ratio(server, cheapest, cpu),
                others=group.of(server, lambda sample: sample.others),
                load_busy=group.of(server, lambda sample: sample.load_busy),
                idle_kept=group.of(server, lambda sample: sample.idle_kept),
                problems=group.problems(server),
            )
            for server in group.rounds
        ]
        part.sort(key=lambda each: -(each.rps.median if each.rps else 0.0))
        result += part
    return result
