"""Markdown for a pull request or a CI step summary."""

from __future__ import annotations

from wsgi_matrix.model import Run
from wsgi_matrix.reports import images, not_checked, red, summary, tallies, timing
from wsgi_matrix.reports.grid import legend, make_grid

LARGEST_DETAIL = 1500
MOST_REDS = 60
"""Red checks that are shown one by one."""


def render(run: Run) -> str:
    """The report as one Markdown document."""
    grid = make_grid(run)
    parts = [f"## wsgi-matrix: {summary(run)}", f"{run.where} (version {run.engine_version})"]
    table = ["| | " + " | ".join(f"{limits}<br>{tag}" for tag, limits in grid.columns) + " |"]
    table.append("|---" * (len(grid.columns) + 1) + "|")
    for row in grid.rows:
        squares = " | ".join(grid.square(row, column) for column in grid.columns)
        table.append(f"| {row[0]} {row[1]} | {squares} |")
    if grid.rows:
        parts.append("\n".join(table))
        parts.append("; ".join(text for _, text in legend(run)))
    for titles, lines in tallies(run):
        rows = [titles, ("---",) * len(titles), *lines]
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in rows))
    for cell, check in red(run)[:MOST_REDS]:
        parts.append(f"**{cell}** `{check.id}` {check.outcome.value}\n\n{_fenced(check.detail)}")
    skipped = [
        f"- `{check}` not judged in {count} cells: {_inline(reason)}"
        for (check, reason), count in not_checked(run).items()
    ]
    if skipped:
        parts.append("\n".join(skipped))
    parts.append("\n".join(f"- {whose}: image `{i}`, server `{s}`" for whose, i, s in images(run)))
    parts.append(timing(run))
    return "\n\n".join(part for part in parts if part) + "\n"


def _fenced(text: str) -> str:
    """A block of code that nothing in ``text`` can end."""
    text = text[:LARGEST_DETAIL]
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
