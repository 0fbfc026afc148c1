"""The picture of a measurement: an SVG that brings its own ground for light and dark screens.

Panels over the same rows. A dot is a median; its colour is the app. A ring instead of a dot is
a figure that does not count. nginx is the ceiling of requests/s and no row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from bench.catalogue import SERVER
from bench.figures import Figure
from bench.model import ONEGATE, WIRE
from bench.results import Results

APPS = ("raw", "flask", "pyramid", "django")
NAMES, PANEL, GAP, ROW, TOP, BOTTOM = 150, 210, 40, 22, 64, 44

STYLE = """
:root { --ground: #ffffff; --text: #1f2328; --weak: #6e7781; --line: #d8dee4; --mine: #eaf3ff;
  --raw: #6e7781; --flask: #0969da; --pyramid: #bc4c00; --django: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --weak: #8d96a0;
  --line: #30363d; --mine: #12243d; --raw: #9da7b1; --flask: #4493f8; --pyramid: #f0883e;
  --django: #3fb950; } }
text { font: 12px system-ui, sans-serif; fill: var(--text); }
.title { font-weight: 600; } .mine { font-weight: 600; }
.weak { fill: var(--weak); font-size: 11px; }
.line { stroke: var(--line); } .ground { fill: var(--ground); } .row { fill: var(--mine); }
"""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One column: a value for each server and app, on an axis."""

    title: str
    remark: str
    values: dict[tuple[str, str], tuple[float, bool]]  # (server, app): value, whether it counts
    logarithmic: bool
    label: Callable[[float], str]


def draw(results: Results) -> str:
    """The whole picture."""
    panels = [panel for panel in _panels(results) if panel.values]
    shown = {server for panel in panels for server, _ in panel.values}
    servers = [name for name in results.servers() if name in shown and name != WIRE]
    width = NAMES + len(panels) * (PANEL + GAP) + GAP
    height = TOP + ROW * len(servers) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>onegate beside its peers, {escape(results.date[:10])}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    for row, name in enumerate(servers):
        y = TOP + ROW * row
        mine = SERVER[name].product == ONEGATE
        if mine:
            parts.append(f'<rect class="row" x="0" y="{y}" width="{width}" height="{ROW}"/>')
        kind = "mine" if mine else "name"
        parts.append(f'<text class="{kind}" x="12" y="{y + 15}">{escape(name)}</text>')
    for column, panel in enumerate(panels):
        parts += _panel(panel, NAMES + column * (PANEL + GAP), servers)
    parts += _legend(height - 14)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _panels(results: Results) -> list[Panel]:
    figures = results.figures()
    memory = {
        (each.server, each.app): (each.memory.worker_anonymous / (1 << 20), True)
        for each in results.trials
        if each.memory and each.app in APPS
    }

    def share(scenario: str) -> dict[tuple[str, str], tuple[float, bool]]:
        return _values(figures, scenario, _share)

    latency = _values(figures, "rate", lambda f: f.p99_us.median / 1000 if f.p99_us else None)
    shares = (
        ("no two alike, keep-alive", "traffic"),
        ("no two alike, close", "traffic-close"),
        ("same octets, keep-alive", "keepalive"),
    )
    return [
        *(
            Panel(
                title=f"requests/s, {title}",
                remark="share of the ceiling; more is better",
                values=share(scenario),
                logarithmic=False,
                label=_percent,
            )
            for title, scenario in shares
        ),
        Panel(
            title="p99 latency, same rate",
            remark="milliseconds; less is better",
            values=latency,
            logarithmic=True,
            label=lambda value: f"{value:g}",
        ),
        Panel(
            title="memory of the worker",
            remark="MiB of its own after load; less is better",
            values=memory,
            logarithmic=False,
            label=lambda value: f"{value:.0f}",
        ),
    ]


def _values(
    figures: list[Figure], scenario: str, value: Callable[[Figure], float | None]
) -> dict[tuple[str, str], tuple[float, bool]]:
    found = {}
    for figure in figures:
        number = value(figure)
        if (
            figure.scenario == scenario
            and figure.server in SERVER
            and figure.app in APPS
            and number
        ):
            found[figure.server, figure.app] = (number, figure.valid)
    return found


def _share(figure: Figure) -> float | None:
    """The share of the lower of two ceilings: the app with no server, and nginx with no app.

    The lower one has the greater share. For raw it is the wire, for a framework the framework.
    """
    shares = [each.median for each in (figure.to_ceiling, figure.to_wire) if each]
    return max(shares, default=None)


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _ticks(panel: Panel) -> list[float]:
    """Round numbers, the last not below the greatest value that counts."""
    counted = [
        value for (server, _), (value, counts) in panel.values.items() if counts and server != WIRE
    ] or [1.0]
    if panel.logarithmic:
        ticks = [10.0**power for power in range(-2, 6)]
        low = max(0, sum(tick <= min(counted) for tick in ticks) - 1)
        high = min(len(ticks) - 1, sum(tick < max(counted) for tick in ticks))
        return ticks[low : max(high, low + 1) + 1]
    greatest = max(counted)
    power = 10.0 ** floor(log10(greatest))
    step = next(power * part for part in (0.2, 0.25, 0.5, 1, 2) if power * part * 6 >= greatest)
    return [step * number for number in range(ceil(greatest / step) + 1)]


def _panel(panel: Panel, left: int, servers: list[str]) -> list[str]:
    ticks = _ticks(panel)
    bottom = TOP + ROW * len(servers)
    scale = log10 if panel.logarithmic else float
    low, high = scale(ticks[0]), scale(ticks[-1])

    def place(value: float) -> float:
        """The x of a value; one beyond the axis stands at its end."""
        inside = min(max(value, ticks[0]), ticks[-1])
        return left + PANEL * (scale(inside) - low) / (high - low)

    parts = [
        f'<text class="title" x="{left}" y="18">{escape(panel.title)}</text>',
        f'<text class="weak" x="{left}" y="34">{escape(panel.remark)}</text>',
    ]
    for tick in ticks:
        x = place(tick)
        parts.append(f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}"/>')
        label = escape(panel.label(tick))
        parts.append(
            f'<text class="weak" x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{label}</text>'
        )
    for row, server in enumerate(servers):
        y = TOP + ROW * row + ROW / 2
        for app in APPS:
            if (server, app) not in panel.values:
                continue
            value, counts = panel.values[server, app]
            colour = f"var(--{app})"
            paint = f'fill="{colour}"' if counts else f'fill="none" stroke="{colour}"'
            hint = escape(
                f"{server}, {app}: {panel.label(value)}" + ("" if counts else ", invalid")
            )
            parts.append(
                f'<circle cx="{place(value):.1f}" cy="{y}" r="4.5" {paint}>'
                f"<title>{hint}</title></circle>"
            )
    return parts


def _legend(y: int) -> list[str]:
    parts = []
    for number, app in enumerate(APPS):
        x = NAMES + number * 90
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4.5" fill="var(--{app})"/>')
        parts.append(f'<text x="{x + 10}" y="{y}">{app}</text>')
    x = NAMES + len(APPS) * 90
    parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4.5" fill="none" stroke="var(--weak)"/>')
    parts.append(
        f'<text class="weak" x="{x + 10}" y="{y}">does not count: errors under load</text>'
    )
    return parts
