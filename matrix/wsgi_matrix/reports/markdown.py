"""Markdown for a pull request or a CI step summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wsgi_matrix.model.outcome_semantics import red
from wsgi_matrix.model.results import CaseResult, Run
from wsgi_matrix.reports import http_status_counts, not_checked, ran, summary, tallies, timing
from wsgi_matrix.reports.api import Report
from wsgi_matrix.reports.grid import legend, make_grid
from wsgi_matrix.results.results_json import run_of

LARGEST = 1_000_000
"""Maximum octets of a report: a step summary is limited to 1 MiB, and may not be empty before."""
LARGEST_DETAIL = 1500
MOST_REDS = 60
"""Maximum number of red checks shown."""


def render(value: dict[str, Any]) -> str:
    """The report for a value of ``results.json`` as one Markdown document."""
    run = run_of(value)
    parts = [f"## wsgi-matrix: {_inline(summary(run))}", _where(run)]
    parts += _grid(run)
    for titles, lines in tallies(run):
        parts.append(_table([titles, ("---",) * len(titles), *lines]))
    parts += _responses(run)
    end = [*_notes(run), *_skipped(run), *_images(run), _inline(timing(run))]
    space = LARGEST - sum(len(part.encode()) + 2 for part in (*parts, *end))
    parts += _reds(red(run), space)
    return _cut("\n\n".join(part for part in (*parts, *end) if part) + "\n")


def _where(run: Run) -> str:
    return _inline(f"{run.where} (version {run.engine_version})")


def _grid(run: Run) -> list[str]:
    grid = make_grid(run)
    if not grid.rows:
        return []
    titles = ("", *(f"{limits}<br>{tag}" for tag, limits in grid.columns))
    rows = [
        (" ".join(row), *(grid.square(row, column) for column in grid.columns)) for row in grid.rows
    ]
    table = _table([titles, ("---",) * len(titles), *rows])
    return [table, "; ".join(text for _, text in legend(run))]


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _reds(reds: list[tuple[str, CaseResult]], space: int) -> list[str]:
    """Red checks, as many as fit, and how many are left out."""
    parts: list[str] = []
    for cell, check in reds[:MOST_REDS]:
        part = f"**{cell}** `{check.name}` {check.outcome.value}{_title(check)}"
        part += f"\n\n{_fenced(check.explanation())}"
        space -= len(part.encode()) + 2
        if space < 200:
            break
        parts.append(part)
    if left := len(reds) - len(parts):
        parts.append(f"Cut: {left} of {len(reds)} red checks are not shown; results.json has all.")
    return parts


def _title(check: CaseResult) -> str:
    return f": {_inline(check.title)} ({check.level.value}, {check.cite})" if check.title else ""


def _responses(run: Run) -> list[str]:
    lines = [_response(each) for each in http_status_counts.lines(run)]
    return ["\n".join(lines)] if lines else []


def _response(line: http_status_counts.Line) -> str:
    indent = "  " * line.text.startswith(" ")
    text = _inline(line.text)
    return f"{indent}- **{text}**" if line.warning else f"{indent}- {text}"


def _notes(run: Run) -> list[str]:
    return ["\n".join(f"- {_inline(note)}" for note in run.notes)] if run.notes else []


def _skipped(run: Run) -> list[str]:
    lines = [
        f"- `{check}` skipped in {count} cell{'s'[: count > 1]}: {_inline(reason)}"
        for (check, reason), count in not_checked(run).items()
    ]
    return ["\n".join(lines)] if lines else []


def _images(run: Run) -> list[str]:
    return ["\n".join(f"- {_inline(line)}" for line in ran(run).lines())]


def _cut(text: str) -> str:
    """``text``, cut if it is too long, with a line that says so; a grid alone may be too long."""
    raw = text.encode()
    if len(raw) <= LARGEST:
        return text
    kept = raw[: LARGEST - 200].decode(errors="ignore").rpartition("\n")[0]
    left = len(raw) - len(kept.encode())
    return f"{kept}\n\nCut: {left} of {len(raw)} octets left out; results.json has everything.\n"


def _fenced(text: str) -> str:
    """A code block whose fence does not occur in ``text``."""
    if len(text) > LARGEST_DETAIL:
        text = f"{text[:LARGEST_DETAIL]}\n… ({len(text)} characters in total)"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


REPORT = Report(name="markdown", file="report.md", render=render)
