"""A self-contained HTML file: nothing is fetched, wherever it is opened.

What a server sent is untrusted. The page is made by Jinja2 with autoescape; octets are only in it
as base64, and the script inserts them as text nodes. A content security policy allows this script
and this style by their digests, and no requests at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.results import Run
from wsgi_matrix.reports import http_status_counts, ran, summary, timing
from wsgi_matrix.reports.api import Report
from wsgi_matrix.reports.grid import LEGEND, MARKS
from wsgi_matrix.reports.html.charts import charts
from wsgi_matrix.reports.html.payload import Kept, pack
from wsgi_matrix.reports.html.tables import tables
from wsgi_matrix.results.results_json import run_of

LARGEST = 2_000_000
"""Maximum octets of the file. Evidence is cut until it fits, and the page says how much."""

SCRIPTS = ("data.js", "octets.js", "state.js", "exchange.js", "cases.js", "tables.js", "main.js")
"""In the order of their dependencies; concatenated to one module."""

STEPS = (
    Kept(octets=4096),
    Kept(octets=1024),
    Kept(octets=512),
    Kept(octets=256),
    Kept(octets=1024, passing=False),
    Kept(octets=256, passing=False),
    Kept(octets=0, passing=False),
)
"""How much evidence to include, in decreasing order."""


def render(value: dict[str, Any]) -> str:
    """The report for a value of ``results.json`` as one HTML document."""
    run = run_of(value)
    shell = _page(run, value, "", STEPS[0])
    for kept in STEPS:
        payload = pack(value, kept)
        if len(shell.encode()) + len(payload) <= LARGEST:
            break
    return _page(run, value, payload, kept)


def _page(run: Run, value: dict[str, Any], payload: str, kept: Kept) -> str:
    style = _file("page.css")
    script = "\n".join([_constants(run), *(_file(name) for name in SCRIPTS)])
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("page.html.j2")).render(
        run=run,
        summary=summary(run),
        timing=timing(run),
        responses=http_status_counts.lines(run),
        ran=ran(run),
        legend=[(each.value, MARKS[each], LEGEND[each]) for each in MARKS],
        servers=list(dict.fromkeys(result.cell.server.name for result in run.cells)),
        apps=list(dict.fromkeys(result.cell.app.name for result in run.cells)),
        tables=tables(run),
        charts=charts(value),
        kept=kept,
        payload=payload,
        # Trusted files, for elements whose content is not parsed for entities.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


def _constants(run: Run) -> str:
    """Data on outcomes and engines for the scripts, as JavaScript."""
    values = {
        "MARKS": MARKS,
        "WORST": outcome_semantics.WORST,
        "RED": [outcome for outcome in outcome_semantics.WORST if outcome in outcome_semantics.RED],
        "HELD": next(filter(outcome_semantics.held, outcome_semantics.WORST)),
        "KNOWN": next(filter(outcome_semantics.known, outcome_semantics.WORST)),
        "IMAGE": ran(run).titles[0].capitalize(),
    }
    return "\n".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())


def _file(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """The digest of ``text`` for a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


REPORT = Report(name="html", file="report.html", render=render)
