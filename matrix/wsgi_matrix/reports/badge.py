"""A badge in SVG: ``wsgi matrix | 48 pass``."""

from __future__ import annotations

from html import escape
from typing import Any

from wsgi_matrix.model.outcome_semantics import WORST, counts, exit_code
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.reports.api import Report
from wsgi_matrix.results.results_json import run_of

NAME = "wsgi matrix"
# White text on each has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3).
GREEN, RED, AMBER, GREY = "#2d7a3e", "#b3261e", "#8a5a00", "#5f6368"
COLOURS = {
    Outcome.FAIL: RED,
    Outcome.DIFFER: AMBER,
    Outcome.ERROR: RED,
}
HEIGHT, PADDING, CHARACTER = 20, 7, 6.6
"""In px; ``textLength`` forces the computed width of the text, whatever the font."""

TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" \
aria-label="{title}">
  <title>{title}</title>
  <clipPath id="r"><rect width="{width}" height="{height}" rx="3"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="{left}" height="{height}" fill="#3c4043"/>
    <rect x="{left}" width="{right}" height="{height}" fill="{colour}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
    <text x="{padding}" y="14" textLength="{name_length}">{name}</text>
    <text x="{text_x}" y="14" textLength="{text_length}">{text}</text>
  </g>
</svg>
"""


def render(value: dict[str, Any]) -> str:
    """The badge for a value of ``results.json``: its cells by outcome."""
    run = run_of(value)
    found = counts(run)
    text = ", ".join(f"{count} {outcome}" for outcome, count in found.items()) or "no cells"
    if run.partial:
        text += " (partial)"
    worst = next((each for each in WORST if each in COLOURS and each in found), None)
    fallback = GREEN if exit_code(run) == 0 else GREY
    name_length, text_length = (round(len(each) * CHARACTER) for each in (NAME, text))
    left, right = name_length + 2 * PADDING, text_length + 2 * PADDING
    return TEMPLATE.format(
        width=left + right,
        height=HEIGHT,
        padding=PADDING,
        left=left,
        right=right,
        colour=COLOURS[worst] if worst else fallback,
        name=NAME,
        name_length=name_length,
        text=escape(text),
        text_length=text_length,
        text_x=left + PADDING,
        title=escape(f"{NAME}: {text}"),
    )


REPORT = Report(name="badge", file="badge.svg", render=render)
