"""Table and picture of how a run grows with its cells. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from bench.picture import STYLE

Result = dict[str, Any]

COLOURS = {"process": "var(--flask)", "docker": "var(--pyramid)"}
WIDTH, HEIGHT, LEFT, GAP, TOP, BOTTOM = 300, 180, 60, 90, 56, 48
TICKS = 4


def table(result: Result) -> str:
    """Markdown: a row for each engine and number of cells, and under what it was measured."""
    runs = result["runs"]
    names = list(runs[0]["reports"])
    titles = ["engine", "cells", "runs", "wall", "a cell", "engine's share", "peak memory"]
    titles += [f"{name}: size, time" for name in names]
    lines = [_row(titles), _row(["---"] * len(titles))]
    for run in runs:
        reports = [run["reports"][name] for name in names]
        cells = [
            f"{run['engine']} {run['version']}",
            str(run["cells"]),
            str(run["runs"]),
            f"{run['seconds']:.1f} s",
            f"{run['seconds'] / run['cells']:.2f} s",
            f"{run['engine_share']:.0%}",
            f"{run['rss'] / 2**20:.0f} MiB",
            *(f"{x['octets'] / 1024:.0f} KiB, {x['seconds']:.2f} s" for x in reports),
        ]
        lines.append(_row(cells))
    lines.append("")
    lines.append(
        f"{result['date']}, wsgi-matrix {result['version']}, {result['machine']}; "
        f"load {result['load']:.1f} meanwhile."
    )
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def draw(result: Result) -> str:
    """Wall time and peak memory over the number of cells, on linear axes, as SVG."""
    width = LEFT + 2 * WIDTH + GAP + 30
    height = TOP + HEIGHT + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>What a run costs as it grows, {escape(result['date'])}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    parts += _panel(result, "wall time, seconds", LEFT, lambda run: run["seconds"])
    parts += _panel(
        result,
        "peak memory of wsgi-matrix, MiB",
        LEFT + WIDTH + GAP,
        lambda run: run["rss"] / 2**20,
    )
    for number, engine in enumerate(dict.fromkeys(run["engine"] for run in result["runs"])):
        x = LEFT + number * 120
        parts.append(f'<circle cx="{x}" cy="{height - 14}" r="4.5" fill="{COLOURS[engine]}"/>')
        parts.append(f'<text x="{x + 10}" y="{height - 10}">{escape(engine)}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _panel(
    result: Result, title: str, left: int, value: Callable[[dict[str, Any]], float]
) -> list[str]:
    runs = result["runs"]
    most = max(run["cells"] for run in runs)
    high = max(value(run) for run in runs) * 1.1
    bottom = TOP + HEIGHT

    def at(run: dict[str, Any]) -> tuple[float, float]:
        return left + WIDTH * run["cells"] / most, bottom - HEIGHT * value(run) / high

    parts = [f'<text class="title" x="{left}" y="22">{escape(title)}</text>']
    for tick in range(TICKS + 1):
        y = bottom - HEIGHT * tick / TICKS
        x = left + WIDTH * tick / TICKS
        parts.append(f'<line class="line" x1="{left}" x2="{left + WIDTH}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="weak" x="{left - 6}" y="{y + 4}" text-anchor="end">'
            f"{high * tick / TICKS:.0f}</text>"
        )
        parts.append(
            f'<text class="weak" x="{x}" y="{bottom + 16}" text-anchor="middle">'
            f"{most * tick / TICKS:.0f}</text>"
        )
    for engine in dict.fromkeys(run["engine"] for run in runs):
        mine = sorted((run for run in runs if run["engine"] == engine), key=lambda r: r["cells"])
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, mine))
        colour = COLOURS[engine]
        parts.append(f'<polyline fill="none" stroke="{colour}" points="{points}"/>')
        for run in mine:
            x, y = at(run)
            hint = f"{engine}, {run['cells']} cells: {value(run):.1f}"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}">'
                f"<title>{escape(hint)}</title></circle>"
            )
    return parts
