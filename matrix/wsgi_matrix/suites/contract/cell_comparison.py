"""The comparison of the contract's answers, over the apps of a server and the servers of an app.

What the contract itself demands is judged in each cell; an answer that breaks it is not compared.
What it leaves open is compared here after the rules of :mod:`wsgi_matrix.http.normalise`, with one
cell
that is named in the matrix, so that the verdict on a cell does not depend on who else ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wsgi_matrix.http.normalise import Normal, difference, normalise
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.outcomes import NOT_JUDGED, held, overall
from wsgi_matrix.model.results import CaseResult, CellResult, Level, Outcome
from wsgi_matrix.suites.contract.contract_file import Asked

APPS, SERVERS = ":apps", ":servers"
"""What the ids of the comparisons end with."""


def compare(
    results: Sequence[CellResult],
    *,
    asked: Mapping[str, Asked],
    reference_app: str,
    reference_server: str,
) -> tuple[CellResult, ...]:
    """``results`` with two checks for each exchange appended, and the outcomes renewed."""
    cells = {_place(result.cell): result for result in results}
    return tuple(_with(result, cells, asked, reference_app, reference_server) for result in results)


def _place(cell: Cell, app: str = "", server: str = "") -> tuple[str, str, str, str]:
    """Where ``cell`` stands, or where it would with another app or server."""
    name = app or cell.app.name
    return (server or cell.server.name, name, cell.limits.name, cell.python.version)


def _with(
    result: CellResult,
    cells: Mapping[tuple[str, str, str, str], CellResult],
    asked: Mapping[str, Asked],
    app: str,
    server: str,
) -> CellResult:
    over_apps = cells.get(_place(result.cell, app=app)) if app else None
    over_servers = cells.get(_place(result.cell, server=server)) if server else None
    added = []
    for each in asked.values():
        if not each.own:
            added.append(_check(each, APPS, result, over_apps, app))
        added.append(_check(each, SERVERS, result, over_servers, server))
    checks = (*result.checks, *(check for check in added if check is not None))
    return replace(result, checks=checks, outcome=overall(checks))


def _check(
    asked: Asked, axis: str, result: CellResult, reference: CellResult | None, name: str
) -> CaseResult | None:
    """The comparison of one exchange; none for the reference itself."""
    if reference is result:
        return None
    outcome, detail = _verdict(asked, result, reference, name)
    return CaseResult(
        id=asked.name + axis,
        level=Level.MAY,
        outcome=outcome,
        detail=detail,
        says=f"{asked.method} {asked.target} is answered as {name or 'the reference'} does",
        evidence=(asked.name,),
        against=reference.cell.id if reference else "",
    )


def _verdict(
    asked: Asked, result: CellResult, reference: CellResult | None, name: str
) -> tuple[Outcome, str]:
    if reference is None:
        return Outcome.SKIP, f"the reference {name or '(none named)'} is not in this run"
    here = _normal(asked, result)
    if here is None:
        return Outcome.SKIP, NOT_JUDGED
    there = _normal(asked, reference)
    if there is None:
        return Outcome.SKIP, "the reference itself breaks the contract here"
    found = difference(there, here)
    if not found:
        return Outcome.PASS, ""
    return Outcome.DIFFER, found.sides(reference.cell.id, result.cell.id)


def _normal(asked: Asked, result: CellResult) -> Normal | None:
    """The answer, normalised; none if the contract does not accept it."""
    accepted = any(check.id == asked.name and held(check.outcome) for check in result.checks)
    if not accepted or asked.name not in result.exchanges:
        return None
    raw = result.exchanges[asked.name].response
    return normalise(raw, asked.method, joined=asked.joined, page=asked.page)
