"""The reports that a run leaves as files, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wsgi_matrix.reports import badge, html, junit, markdown
from wsgi_matrix.results import run_json

RENDERERS: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "results.json": run_json.dumps,
    "report.html": html.render,
    "junit.xml": junit.render,
    "report.md": markdown.render,
    "badge.svg": badge.render,
}
"""Each a pure function of a value of ``results.json``, which comes first: it has all."""

FORMATS = {
    "html": "report.html",
    "markdown": "report.md",
    "junit": "junit.xml",
    "badge": "badge.svg",
    "json": "results.json",
}
"""What people call each of them."""


def rendered(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of each, one after the other."""
    for name, render in RENDERERS.items():
        yield name, render(value)
