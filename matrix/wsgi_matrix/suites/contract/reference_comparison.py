"""Compares the contract's responses across the apps of a server and the servers of an app.

Requirements of the contract are checked in each cell; a response that violates them is not
compared. What it leaves open is normalised by :mod:`wsgi_matrix.http.normalise` and compared with
one cell that the matrix names, so that the verdict on a cell does not depend on which others ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wsgi_matrix.http.normalise import Normal, difference, normalise
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.outcome_semantics import NOT_JUDGED, held, overall
from wsgi_matrix.model.results import CaseResult, CellResult, Level, Outcome
from wsgi_matrix.suites.contract.contract_file import ContractExchange

APPS, SERVERS = ":apps", ":servers"
"""Suffixes of the ids of comparisons."""


def compare(
    results: Sequence[CellResult],
    *,
    specs: Mapping[str, ContractExchange],
    reference_app: str,
    reference_server: str,
) -> tuple[CellResult, ...]:
    """``results`` with two more checks for each exchange, and updated outcomes."""
    cells = {_place(result.cell): result for result in results}
    return tuple(_with(result, cells, specs, reference_app, reference_server) for result in results)


def _place(cell: Cell, app: str = "", server: str = "") -> tuple[str, str, str, str]:
    """The place of ``cell``, or of the same cell with another app or server."""
    name = app or cell.app.name
    return (server or cell.server.name, name, cell.limits.name, cell.python.version)


def _with(
    result: CellResult,
    cells: Mapping[tuple[str, str, str, str], CellResult],
    specs: Mapping[str, ContractExchange],
    app: str,
    server: str,
) -> CellResult:
    over_apps = cells.get(_place(result.cell, app=app)) if app else None
    over_servers = cells.get(_place(result.cell, server=server)) if server else None
    added = []
    for each in specs.values():
        if not each.own:
            added.append(_check(each, APPS, result, over_apps, app))
        added.append(_check(each, SERVERS, result, over_servers, server))
    checks = (*result.checks, *(check for check in added if check is not None))
    return replace(result, checks=checks, outcome=overall(checks))


def _check(
    spec: ContractExchange, axis: str, result: CellResult, reference: CellResult | None, name: str
) -> CaseResult | None:
    """The comparison of one exchange; ``None`` for the reference itself."""
    if reference is result:
        return None
    outcome, detail = _verdict(spec, result, reference, name)
    return CaseResult(
        id=spec.name + axis,
        level=Level.MAY,
        outcome=outcome,
        detail=detail,
        says=f"{spec.method} {spec.target} has the same response as on {name or 'the reference'}",
        evidence=(spec.name,),
        against=reference.cell.id if reference else "",
    )


def _verdict(
    spec: ContractExchange, result: CellResult, reference: CellResult | None, name: str
) -> tuple[Outcome, str]:
    if reference is None:
        return Outcome.SKIP, f"the reference {name or '(none set)'} is not in this run"
    here = _normal(spec, result)
    if here is None:
        return Outcome.SKIP, NOT_JUDGED
    there = _normal(spec, reference)
    if there is None:
        return Outcome.SKIP, "the reference itself violates the contract here"
    found = difference(there, here)
    if not found:
        return Outcome.PASS, ""
    return Outcome.DIFFER, found.sides(reference.cell.id, result.cell.id)


def _normal(spec: ContractExchange, result: CellResult) -> Normal | None:
    """The normalised response; ``None`` if the contract does not accept it."""
    accepted = any(check.id == spec.name and held(check.outcome) for check in result.checks)
    if not accepted or spec.name not in result.exchanges:
        return None
    raw = result.exchanges[spec.name].response
    return normalise(raw, spec.method, joined=spec.joined, page=spec.page)
