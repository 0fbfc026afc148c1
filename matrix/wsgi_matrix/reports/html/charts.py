"""Time and memory by server: tables with SVG bars, which are readable without them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsgi_matrix.model import outcome_semantics

WIDTH = 400.0
"""Width of the longest bar, in SVG user units."""


@dataclass(frozen=True)
class Bar:
    """One server."""

    server: str
    cells: int
    middle: float
    least: float
    most: float
    x_middle: float
    x_least: float
    x_most: float


@dataclass(frozen=True)
class Chart:
    """One measure of one suite."""

    title: str
    unit: str
    bars: tuple[Bar, ...]


MEASURES = (
    ("Time of a cell", "seconds", "s", 1),
    ("Time until it was ready", "ready_seconds", "s", 1),
    ("Memory after the last request", "memory", "MiB", 2**20),
)
"""Title, key in ``results.json``, unit, and the divisor from the key's unit to it."""


def charts(value: Mapping[str, Any]) -> list[Chart]:
    """The charts for a value of ``results.json``, of the measures that any cell has."""
    made = []
    for suite in dict.fromkeys(cell["suite"] for cell in value["cells"]):
        ran = [
            cell
            for cell in value["cells"]
            if cell["suite"] == suite and outcome_semantics.ran(cell["outcome"])
        ]
        for title, key, unit, divisor in MEASURES:
            found: dict[str, list[float]] = {}
            for cell in ran:
                if number := cell.get(key):
                    found.setdefault(cell["server"], []).append(number / divisor)
            if found:
                made.append(Chart(f"{title}: suite {suite}", unit, _bars(found)))
    return made


def _bars(found: Mapping[str, list[float]]) -> tuple[Bar, ...]:
    scale = WIDTH / max(max(numbers) for numbers in found.values())
    bars = []
    for server, numbers in found.items():
        middle, least, most = statistics.median(numbers), min(numbers), max(numbers)
        places = [round(number * scale, 1) for number in (middle, least, most)]
        bars.append(Bar(server, len(numbers), middle, least, most, *places))
    return tuple(sorted(bars, key=lambda bar: bar.middle))
