"""The comparison across cells: a pure function that adds four checks to results.

The majority is the reference; cells that differ from it are red, with what differs and where. Only
cells of the same server are compared, because servers may send different fields.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from wsgi_matrix.http.response import split, where_differs
from wsgi_matrix.model.axes import App
from wsgi_matrix.model.outcome_semantics import NOT_JUDGED, overall
from wsgi_matrix.model.results import CaseResult, CellResult, Level, Outcome
from wsgi_matrix.probe.protocol import mask_date
from wsgi_matrix.suites.case import FRAMEWORK, HELLO

Key = TypeVar("Key", bound=Hashable)

CHECKS = {
    "identical": "/hello is the same, byte for byte, as in the other cells (Date's value masked)",
    "same-image": "one image for all cells of a Python",
    "same-server": "one server layer for all cells",
    "frameworks-differ": "apps of different frameworks report different ones in /framework",
}
OF_SEVERAL = ("frameworks-differ",)
"""Checks that say nothing if there is only one framework."""
EVIDENCE = {"identical": (HELLO,), "frameworks-differ": (FRAMEWORK,)}
"""By check: what was compared."""

Verdicts = dict[str, tuple[Outcome, str]]
"""By the id of a cell."""


def compare(results: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """``results`` with the checks across cells appended to each, and the outcomes renewed."""
    verdicts = {
        "identical": _identical(results),
        "same-image": _same_image(results),
        "same-server": _same_server(results),
        "frameworks-differ": _frameworks_differ(results),
    }
    return tuple(_with(result, verdicts) for result in results)


def _with(result: CellResult, verdicts: dict[str, Verdicts]) -> CellResult:
    none = (Outcome.SKIP, NOT_JUDGED)
    added = []
    for check, by_cell in verdicts.items():
        outcome, detail = by_cell.get(result.cell.id, none)
        added.append(
            CaseResult(
                id=check,
                level=Level.MUST,
                outcome=outcome,
                detail=detail,
                says=CHECKS[check],
                evidence=EVIDENCE.get(check, ()),
            )
        )
    kept = [check for check in result.checks if check.id not in CHECKS]
    checks = (*kept, *added)
    return replace(result, checks=checks, outcome=overall(checks))


def _against_majority(
    values: dict[str, Key], describe: Callable[[Key, Key], str], alone: str
) -> Verdicts:
    """Compare ``values`` (by cell) with the most common of them; on a tie, with the first.

    ``describe(expected, got)`` describes the difference. Two halves of equal size have no majority,
    so it is unknown which is right; the text then says so, and names both sides.
    """
    if len(values) < 2:
        return dict.fromkeys(values, (Outcome.SKIP, alone))
    counts = Counter(values.values()).most_common()
    reference, most = counts[0]
    tie = len(counts) > 1 and counts[1][1] == most
    holder = next(cell for cell, value in values.items() if value == reference)
    verdicts: Verdicts = {}
    for cell, value in values.items():
        if value == reference:
            verdicts[cell] = (Outcome.PASS, f"as in {most} of {len(values)} cells")
            continue
        side = f"{holder} (no majority)" if tie else f"{most} of {len(values)} cells ({holder})"
        verdicts[cell] = (
            Outcome.FAIL,
            f"{cell} is unlike {side}: {describe(reference, value)}",
        )
    return verdicts


def _grouped(
    results: Iterable[CellResult],
    group: Callable[[CellResult], Hashable],
    value: Callable[[CellResult], Key | None],
) -> list[dict[str, Key]]:
    groups: defaultdict[Hashable, dict[str, Key]] = defaultdict(dict)
    for result in results:
        found = value(result)
        if found is not None:
            groups[group(result)][result.cell.id] = found
    return list(groups.values())


def _judge_groups(
    groups: Iterable[dict[str, Key]], describe: Callable[[Key, Key], str], alone: str
) -> Verdicts:
    verdicts: Verdicts = {}
    for group in groups:
        verdicts |= _against_majority(group, describe, alone)
    return verdicts


def _response(result: CellResult, name: str) -> bytes | None:
    exchange = result.exchanges.get(name)
    return None if exchange is None or exchange.error else mask_date(exchange.response)


def _identical(results: Sequence[CellResult]) -> Verdicts:
    groups = _grouped(results, lambda r: r.cell.server.name, lambda r: _response(r, HELLO))
    verdicts = _judge_groups(groups, where_differs, "only one cell responded")
    for result in results:
        if result.exchanges and result.cell.id not in verdicts:
            verdicts[result.cell.id] = (Outcome.FAIL, "no complete response to compare")
    return verdicts


def _unlike(expected: str, got: str) -> str:
    return f"expected {expected}, ran {got}"


def _same_image(results: Sequence[CellResult]) -> Verdicts:
    groups = _grouped(
        results,
        lambda r: (r.cell.server.name, r.cell.python.version),
        lambda r: r.image.id if r.image else None,
    )
    return _judge_groups(groups, _unlike, "only one cell of this Python")


def _same_server(results: Sequence[CellResult]) -> Verdicts:
    groups = _grouped(
        results,
        lambda r: r.cell.server.name,
        lambda r: r.image.server_layer if r.image else None,
    )
    return _judge_groups(groups, _unlike, "only one cell")


def _frameworks_differ(results: Sequence[CellResult]) -> Verdicts:
    """Apps that are configured with different frameworks must not report the same one."""
    claims: defaultdict[bytes, set[tuple[str, str]]] = defaultdict(set)
    said: dict[str, tuple[App, bytes]] = {}
    for result in results:
        raw = _response(result, FRAMEWORK)
        if raw is not None:
            app, body = result.cell.app, split(raw).body
            said[result.cell.id] = (app, body)
            claims[body].add((app.framework, app.name))
    several = len({app.framework for app, _ in said.values()}) > 1
    verdicts: Verdicts = {}
    for cell, (app, body) in said.items():
        others = sorted(name for framework, name in claims[body] if framework != app.framework)
        if others:
            text = f"{app.name} and {', '.join(others)} report the same /framework: {body[:200]!r}"
            verdicts[cell] = (Outcome.FAIL, text)
        elif several:
            verdicts[cell] = (Outcome.PASS, "")
        else:
            verdicts[cell] = (Outcome.SKIP, "only one framework")
    return verdicts
