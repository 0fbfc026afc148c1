"""The available reports: those of this package, and those of other distributions.

A distribution provides a report as an entry point in the group ``wsgi_matrix.reports``, whose
object is a :class:`~wsgi_matrix.reports.api.Report`; docs/extending.md shows one.
"""

from __future__ import annotations

from typing import Any

from wsgi_matrix.errors import UserError
from wsgi_matrix.reports.api import Report
from wsgi_matrix.util.entry_points import Registry, title

REPORTS = Registry(
    "wsgi_matrix.reports",
    Report,
    {
        "json": "wsgi_matrix.reports.api:JSON",
        "html": "wsgi_matrix.reports.html:REPORT",
        "junit": "wsgi_matrix.reports.junit:REPORT",
        "markdown": "wsgi_matrix.reports.markdown:REPORT",
        "badge": "wsgi_matrix.reports.badge:REPORT",
    },
)
"""In the order in which they are written; the others are made from the first."""


def reports() -> tuple[Report, ...]:
    """All of them.

    Raises :class:`~wsgi_matrix.errors.UserError`, which names the distribution, for one that cannot
    be loaded, or has the same file as another.
    """
    by_file: dict[str, Report] = {}
    for name in REPORTS:
        report = REPORTS[name]
        if (other := by_file.setdefault(report.file, report)) is not report:
            raise UserError(
                f"{title(REPORTS.entries[name])}: {other.name} also writes {report.file}"
            )
    return tuple(by_file.values())


def text(report: Report, value: dict[str, Any]) -> str:
    """The text of a report for a value of ``results.json``.

    Raises :class:`~wsgi_matrix.errors.UserError`, which names the distribution, if a report of
    another distribution fails.
    """
    try:
        return report.render(value)
    except Exception as problem:  # whatever another distribution's code raises
        if REPORTS.is_built_in(report.name):
            raise
        reason = f"{type(problem).__name__}: {problem}".splitlines()[0]
        raise UserError(f"{title(REPORTS.entries[report.name])}: {reason}") from problem
