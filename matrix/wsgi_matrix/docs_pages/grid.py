"""``docs/results/grid.md``, the published grid, made from a run of everything.

Of several runs, each cell is shown as the last one has it: a part can be run again by itself.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from wsgi_matrix.model import outcomes as verdict
from wsgi_matrix.model.outcomes import ORDER
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.reports.grid import LEGEND, MARKS
from wsgi_matrix.suites import registry
from wsgi_matrix.suites.api import Layout

INTRO = """\
# The grid

Made by `make grid`: every server × every app × every suite. Nothing here is written by hand.
Servers run as `peers/NAME/` and `matrix.toml` call them, with their own defaults; the page
says what came of it. What stands behind a mark (the octets, what is accepted, what came) is in
`results.json` of a run: `wsgi-matrix run --suite conformance --servers NAME` shows it for one
server.
"""
Results = dict[str, Any]


def render(values: Sequence[Results], servers: dict[str, str]) -> str:
    """The whole document from values of ``results.json``; ``servers``: product and version."""
    newest = {cell["id"]: cell for value in values for cell in value["cells"]}
    cells = list(newest.values())
    names = list(dict.fromkeys(cell["server"] for cell in cells))
    parts = [INTRO, *map(_run, values), _legend(), "## Servers\n", _servers(cells, names, servers)]
    parts += ["\n## In short\n\nChecks by their outcome, all cells of a suite together.\n"]
    ran = {cell["suite"] for cell in cells}
    there = [name for name in registry.types() if name in ran]
    parts.append(_table(["server", *there], (_short(cells, name, there) for name in names)))
    for kind in (registry.types()[name] for name in there):
        of_suite = [cell for cell in cells if cell["suite"] == kind.name]
        parts += [f"\n## {kind.title}\n\n{kind.caption}\n", SHOWN[kind.layout](of_suite, names)]
    return "\n".join(parts)


def _run(value: Results) -> str:
    run = value["run"]
    phases = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in run["phases"].items())
    partial = f" A part of it: {run['partial_reason']}." if run["partial"] else ""
    return (
        f"{run['started']}, wsgi-matrix {run['tool_version']}, {run['where']}, {run['kernel']}: "
        f"{len(value['cells'])} cells in {run['seconds']:.0f} s ({phases}).{partial}\n"
    )


def _legend() -> str:
    return "; ".join(f"{MARKS[outcome]} {LEGEND[outcome]}" for outcome in ORDER) + ".\n"


def _servers(cells: list[Results], names: Iterable[str], servers: dict[str, str]) -> str:
    rows = []
    kinds = registry.types()
    costly = {name for name in kinds if kinds[name].layout is Layout.COST_BY_LIMITS}
    for name in names:
        mine = [cell for cell in cells if cell["server"] == name]
        images = dict.fromkeys(cell["image"]["id"] for cell in mine if cell["image"])
        default = [c for c in mine if c["suite"] in costly and c["limits"]["nofile"] is None]
        rows.append(
            [
                name,
                servers.get(name, ""),
                _median(default, "ready_seconds", lambda found: f"{found:.2f} s"),
                _median(default, "memory", lambda found: f"{found / 2**20:.1f} MiB"),
                "<br>".join(f"`{image.removeprefix('sha256:')[:16]}`" for image in images),
            ]
        )
    return _table(["server", "version", "ready after", "memory", "images"], rows)


def _median(cells: list[Results], key: str, show: Any) -> str:
    found = [cell[key] for cell in cells if cell[key] is not None]
    return show(statistics.median(found)) if found else ""


def _short(cells: list[Results], name: str, suites: Sequence[str]) -> list[str]:
    row = [name]
    for suite in suites:
        mine = [cell for cell in cells if (cell["server"], cell["suite"]) == (name, suite)]
        row.append(_counted(check["outcome"] for cell in mine for check in cell["checks"]))
    return row


def _counted(outcomes: Iterable[str]) -> str:
    """``✔ 12 ✘ 3``; what was skipped is no result."""
    found = Counter(outcomes)
    return (
        " ".join(
            f"{MARKS[outcome]} {found[outcome]}"
            for outcome in ORDER
            if found[outcome] and verdict.ran(outcome)
        )
        or MARKS[Outcome.SKIP]
    )


def _by_app(cells: list[Results], names: Sequence[str], *, whole_cells: bool) -> str:
    apps = list(dict.fromkeys(cell["app"] for cell in cells))
    rows = []
    for name in names:
        row = [name]
        for app in apps:
            mine = [cell for cell in cells if (cell["server"], cell["app"]) == (name, app)]
            checks = (check["outcome"] for cell in mine for check in cell["checks"])
            row.append(_counted((c["outcome"] for c in mine) if whole_cells else checks))
        rows.append(row)
    return _table(["server", *apps], rows)


def _by_rule(cells: list[Results], names: Sequence[str], *, figures: bool) -> str:
    """Rules down, servers across. A check on the cell itself stands where it is none of a rule."""
    rules: dict[str, Results] = {}
    squares: dict[tuple[str, str], str] = {}
    for cell in cells:
        for check in cell["checks"]:
            if not check["cite"]:
                continue
            rules.setdefault(check["id"], check)
            mark = MARKS[Outcome(check["outcome"])]
            told = figures and verdict.held(check["outcome"]) and check["detail"]
            squares[check["id"], cell["server"]] = f"{mark} {check['detail']}" if told else mark
    rows = [
        [
            f"{rule} ({check['alias']})" if check["alias"] else rule,
            check["level"],
            f"{check['title'] or check['says']} ({check['cite']})",
            *(squares.get((rule, name), "") for name in names),
        ]
        for rule, check in rules.items()
    ]
    return _table(["rule", "level", "what it says", *names], rows)


def _by_profile(cells: list[Results], names: Sequence[str]) -> str:
    profiles = list(dict.fromkeys(cell["limits"]["name"] for cell in cells))
    rows = []
    for name in names:
        row = [name]
        for profile in profiles:
            mine = [c for c in cells if (c["server"], c["limits"]["name"]) == (name, profile)]
            row.append("<br>".join(map(_cost, mine)))
        rows.append(row)
    skipped = dict.fromkeys(
        cell["checks"][0]["detail"] for cell in cells if not verdict.ran(cell["outcome"])
    )
    notes = "".join(f"\n{MARKS[Outcome.SKIP]} {reason}\n" for reason in skipped)
    return _table(["server", *profiles], rows) + notes


def _cost(cell: Results) -> str:
    by_id = {check["id"]: check for check in cell["checks"]}
    judged = [by_id[name] for name in ("boot", "memory") if name in by_id]
    if not verdict.ran(cell["outcome"]) or not judged:
        return MARKS[Outcome.SKIP]
    return "<br>".join(
        f"{MARKS[Outcome(check['outcome'])]} {check['detail'].partition(',')[0].partition(';')[0]}"
        for check in judged
    )


SHOWN: Mapping[Layout, Callable[[list[Results], Sequence[str]], str]] = {
    Layout.CELLS_BY_APP: partial(_by_app, whole_cells=True),
    Layout.CHECKS_BY_APP: partial(_by_app, whole_cells=False),
    Layout.RULES: partial(_by_rule, figures=False),
    Layout.MEASURED_RULES: partial(_by_rule, figures=True),
    Layout.COST_BY_LIMITS: _by_profile,
}


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(map(_inline, line)) + " |" for line in lines) + "\n"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
