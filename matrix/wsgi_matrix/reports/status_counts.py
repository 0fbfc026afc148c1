"""What was responded to the traffic: that all checks passed says nothing of 404 to everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from wsgi_matrix.model.outcomes import ran
from wsgi_matrix.model.results import CaseResult, CellResult, Run

NAMED = 5
"""Requests of one status, or cells, that are named."""
RECORDED = 20
"""Requests with another status than was recorded that are named."""
NO_RESPONSE = "none"
"""In place of a status: there was no whole response."""


@dataclass(frozen=True)
class Line:
    """A line for people. ``warning``: it wants to be looked at."""

    text: str
    warning: bool = False


def asked(result: CellResult) -> list[CaseResult]:
    """The checks of requests of the traffic that were sent in a cell."""
    if not ran(result.outcome):
        return []
    return [each for each in result.checks if each.request and ran(each.outcome)]


def counted(result: CellResult) -> str:
    """``8 requests: 2 × 200, 4 × 404``; empty where no traffic was sent."""
    checks = asked(result)
    if not checks:
        return ""
    found = Counter(_status(each) for each in checks)
    parts = ", ".join(f"{count} × {status}" for status, count in sorted(found.items()))
    return f"{len(checks)} request{'' if len(checks) == 1 else 's'}: {parts}"


def warning(result: CellResult) -> str:
    """That nothing in a cell was responded to with success or a redirection; else empty."""
    checks = asked(result)
    if not checks or any(each.status and each.status < 400 for each in checks):
        return ""
    return "no request got a 2xx or 3xx response, so that little was tried"


def lines(run: Run) -> list[Line]:
    """What was responded in all cells of ``run``, those of the same together."""
    groups: dict[tuple[str, tuple[str, ...], str], list[CellResult]] = {}
    for result in run.cells:
        if said := counted(result):
            told = (*_others(result), *_recorded(result))
            groups.setdefault((said, told, warning(result)), []).append(result)
    found = []
    for (said, told, warned), results in groups.items():
        found.append(Line(f"{said} ({_cells([each.cell.id for each in results], run)})"))
        found += [Line(f"  {each}") for each in told]
        if warned:
            found.append(Line(f"warning: {warned}", warning=True))
    return found


def _status(check: CaseResult) -> str:
    return str(check.status or NO_RESPONSE)


def _others(result: CellResult) -> Iterable[str]:
    """The requests of each status that is neither success nor a redirection."""
    groups: dict[str, list[str]] = {}
    for check in asked(result):
        if not check.status or check.status >= 400:
            groups.setdefault(_status(check), []).append(check.request)
    return (f"{status}: {_some(titles, NAMED)}" for status, titles in sorted(groups.items()))


def _recorded(result: CellResult) -> Iterable[str]:
    """The requests whose responses have another status than was recorded."""
    groups: dict[str, list[str]] = {}
    for check in asked(result):
        if check.recorded and check.recorded != check.status:
            said = f"recorded {check.recorded}, here {_status(check)}"
            groups.setdefault(said, []).append(check.request)
    return (f"{said}: {_some(titles, RECORDED)}" for said, titles in groups.items())


def _some(names: list[str], most: int) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")


def _cells(ids: list[str], run: Run) -> str:
    if len(ids) == len(run.cells) > 1:
        return f"in each of {len(ids)} cells"
    return _some(ids, NAMED)
