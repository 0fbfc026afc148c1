"""The statuses of responses to the traffic, since checks can pass with 404 for everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from wsgi_matrix.model.outcome_semantics import ran
from wsgi_matrix.model.results import CaseResult, CellResult, Run

NAMED = 5
"""Maximum number of requests with one status, or of cells, that are listed."""
RECORDED = 20
"""Maximum number of requests listed whose status is not the recorded one."""
NO_RESPONSE = "none"
"""Shown instead of a status if there was no complete response."""


@dataclass(frozen=True)
class Line:
    """A line of text. ``warning``: it needs attention."""

    text: str
    warning: bool = False


def request_checks(result: CellResult) -> list[CaseResult]:
    """The checks of the requests of the traffic in a cell."""
    if not ran(result.outcome):
        return []
    return [each for each in result.checks if each.request and ran(each.outcome)]


def counted(result: CellResult) -> str:
    """``8 requests: 2 × 200, 4 × 404``; empty if no traffic was sent."""
    checks = request_checks(result)
    if not checks:
        return ""
    found = Counter(_status(each) for each in checks)
    parts = ", ".join(f"{count} × {status}" for status, count in sorted(found.items()))
    return f"{len(checks)} request{'' if len(checks) == 1 else 's'}: {parts}"


def warning(result: CellResult) -> str:
    """A warning if no request in a cell had success or a redirection; else empty."""
    checks = request_checks(result)
    if not checks or any(each.status and each.status < 400 for each in checks):
        return ""
    return "no request got a 2xx or 3xx response, so little was tested"


def lines(run: Run) -> list[Line]:
    """The statuses in all cells of ``run``, with equal cells grouped."""
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
    """The requests by each status that is neither success nor a redirection."""
    groups: dict[str, list[str]] = {}
    for check in request_checks(result):
        if not check.status or check.status >= 400:
            groups.setdefault(_status(check), []).append(check.request)
    return (f"{status}: {_some(titles, NAMED)}" for status, titles in sorted(groups.items()))


def _recorded(result: CellResult) -> Iterable[str]:
    """The requests whose status is not the recorded one."""
    groups: dict[str, list[str]] = {}
    for check in request_checks(result):
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
