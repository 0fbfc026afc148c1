"""The reports that a run leaves as files: those of this package, and those of other distributions.

A distribution offers a report as an entry point in the group ``wsgi_matrix.reports``, whose object
is a :class:`~wsgi_matrix.reports.api.Report`; docs/extending.md shows one.
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
"""In the order in which they are written: the first has all that the others are made of."""


def reports() -> tuple[Report, ...]:
    """All of them.

    Raises :class:`~wsgi_matrix.errors.UserError`, which names the distribution, for one that cannot
    be loaded, or has the file of another.
    """
    by_file: dict[str, Report] = {}
    for name in REPORTS:
        report = REPORTS[name]
        if (other := by_file.setdefault(report.file, report)) is not report:
            raise UserError(
                f"{title(REPORTS.entries[name])}: its file {report.file} is that of {other.name}"
            )
    return tuple(by_file.values())


def text(report: Report, value: dict[str, Any]) -> str:
    """The report on a value of ``results.json``.

    Raises :class:`~wsgi_matrix.errors.UserError`, which names the distribution, for one of another
    distribution that cannot make it.
    """
    try:
        return report.render(value)
    except Exception as problem:  # whatever another distribution's code raises
        if REPORTS.is_built_in(report.name):
            raise
        told = f"{type(problem).__name__}: {problem}".splitlines()[0]
        raise UserError(f"{title(REPORTS.entries[report.name])}: {told}") from problem
