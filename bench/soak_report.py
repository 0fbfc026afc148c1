"""What a soak is told as: lines, a picture, a part of the manual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.picture import STYLE
from docs.generate import blocks

WIDTH, LEFT, PANEL, GAP = 760, 70, 90, 46


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look at the processes; of the workers the largest value."""

    seconds: float
    right: int
    workers: int
    descriptors: int
    master_descriptors: int
    zombies: int
    memory: int
    """KiB, as is the master's."""
    master_memory: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole run."""

    date: str
    onegate: str
    """Its version, and the commit."""
    python: str
    system: str
    processors: int
    seconds: int
    sent: int
    right: int
    lost: list[str]
    killed: int
    bad: int
    events: list[tuple[float, str]]
    samples: list[Sample]
    problems: list[str]
    compared: int = 0
    """Responses of a worker with threads that were right to the last octet."""

    @property
    def failed(self) -> bool:
        """Whether the bar was missed."""
        zombies = any(sample.zombies for sample in self.samples)
        return bool(self.lost or self.problems or zombies or not self.right)


def rows(report: Report) -> list[tuple[str, str]]:
    """Names and values."""
    counts = Counter(name for _, name in report.events)
    first, last = report.samples[len(report.samples) // 10], report.samples[-1]

    def most(value: Callable[[Sample], int]) -> int:
        return max(value(sample) for sample in report.samples)

    return [
        ("requests sent", f"{report.sent:,}"),
        ("correct responses", f"{report.right:,}"),
        ("lost to kill -9 of a worker", f"{report.killed}"),
        ("otherwise lost", f"{len(report.lost)}"),
        ("misbehaving clients", f"{report.bad:,}"),
        (
            "HUP, HUP with broken code, USR2",
            f"{counts['hup']}, {counts['broken']}, {counts['usr2']}",
        ),
        ("kill -9, TTIN, TTOU", f"{counts['kill']}, {counts['ttin']}, {counts['ttou']}"),
        (
            "max. descriptors: worker, master",
            f"{most(lambda s: s.descriptors)}, {most(lambda s: s.master_descriptors)}",
        ),
        ("max. zombies", f"{most(lambda s: s.zombies)}"),
        (
            "memory of the largest worker: early, at the end, max.",
            f"{mib(first.memory)}, {mib(last.memory)}, {mib(most(lambda s: s.memory))}",
        ),
        ("then, of 8 threads: responses compared octet by octet", f"{report.compared:,}"),
    ]


def mib(kib: int) -> str:
    """For people."""
    return f"{kib / 1024:.1f} MiB"


def console(report: Report) -> str:
    """Lines for the terminal."""
    table = rows(report)
    width = max(len(name) for name, _ in table)
    lines = [f"{name:<{width}}  {value}" for name, value in table]
    lines += [f"lost: {each}" for each in report.lost[:20]]
    lines += [f"problem: {each}" for each in report.problems]
    return "\n".join(lines) + "\n"


def write_docs(report: Report, folder: Path) -> None:
    """The picture ``soak.svg``, and the part of ``soak.md`` between its marks.

    Raises :class:`blocks.BlockError`.
    """
    page = folder / "soak.md"
    table = "\n".join(f"| {name} | {value} |" for name, value in rows(report))
    where = f"Python {report.python}, {report.system}, {report.processors} processors"
    part = f"""{report.seconds} seconds on {report.date}: onegate {report.onegate}, {where},
3 workers, 8 well-behaved clients and 10 misbehaving ones.

| | |
|---|---|
{table}

![Responses per second, memory, descriptors and zombies over the run](soak.svg)
"""
    filled = blocks.fill(page.read_text(), "soak", part)
    page.write_text(filled)
    (folder / "soak.svg").write_text(draw(report))


def draw(report: Report) -> str:
    """Three panels over time; grey lines are events."""
    samples = report.samples
    rates = [
        (now.right - then.right) / (now.seconds - then.seconds) for then, now in pairwise(samples)
    ]
    panels = [
        ("answers a second", [("all clients", "flask", rates)]),
        (
            "memory, MiB",
            [
                ("largest worker", "flask", [sample.memory / 1024 for sample in samples]),
                ("master", "pyramid", [sample.master_memory / 1024 for sample in samples]),
            ],
        ),
        (
            "descriptors",
            [
                (
                    "of a worker, at most",
                    "flask",
                    [float(sample.descriptors) for sample in samples],
                ),
                (
                    "of the master",
                    "pyramid",
                    [float(sample.master_descriptors) for sample in samples],
                ),
                ("zombies", "django", [float(sample.zombies) for sample in samples]),
            ],
        ),
    ]
    height = 40 + len(panels) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>onegate for {report.seconds} seconds, {report.date}</title>",
        f"<style>{STYLE} polyline {{ fill: none; stroke-width: 1.5; }}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
    ]
    for number, (title, lines) in enumerate(panels):
        parts += _panel(title, lines, 36 + number * (PANEL + GAP), report)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    title: str, lines: list[tuple[str, str, list[float]]], top: int, report: Report
) -> list[str]:
    bottom, wide = top + PANEL, WIDTH - LEFT - 20
    most = max(max(values, default=0) for _, _, values in lines) * 1.1 or 1
    parts = [f'<text class="title" x="{LEFT}" y="{top - 8}">{title}</text>']
    for at, _ in report.events:
        x = LEFT + at / report.seconds * wide
        parts.append(
            f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" opacity="0.5"/>'
        )
    for value in (0.0, most / 1.1):
        y = bottom - value / most * PANEL
        parts.append(
            f'<line class="line" x1="{LEFT}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(
            f'<text class="weak" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{value:,.0f}</text>"
        )
    x = LEFT + wide
    for name, colour, values in reversed(lines):
        step = wide / max(1, len(values) - 1)
        points = " ".join(
            f"{LEFT + i * step:.1f},{bottom - value / most * PANEL:.1f}"
            for i, value in enumerate(values)
        )
        parts.append(f'<polyline stroke="var(--{colour})" points="{points}"/>')
        parts.append(
            f'<text x="{x}" y="{top - 8}" text-anchor="end" '
            f'style="fill:var(--{colour})">{name}</text>'
        )
        x -= 10 + 7 * len(name)
    for part in (0, 0.5, 1):
        parts.append(
            f'<text class="weak" x="{LEFT + part * wide:.0f}" y="{bottom + 16}" '
            f'text-anchor="middle">'
            f"{part * report.seconds:.0f} s</text>"
        )
    return parts
