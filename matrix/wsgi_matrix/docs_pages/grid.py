"""``docs/grid.md``, the published grid, made from a run of everything:

python -m wsgi_matrix.docs_pages.grid build/matrix/results.json >docs/grid.md

Of several files, each cell is shown as the last one has it: a part can be run again by itself.
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from wsgi_matrix.config import matrix_toml
from wsgi_matrix.model.axes import HELLO, Server
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.model.verdict import ORDER
from wsgi_matrix.reports.grid import LEGEND, MARKS
from wsgi_matrix.results import saved
from wsgi_matrix.suites.conformance.suite import NAME as RULES
from wsgi_matrix.suites.contract.suite import NAME as CONTRACT
from wsgi_matrix.suites.fd_scaling.suite import NAME as LIMITS
from wsgi_matrix.suites.shutdown.suite import NAME as STOP
from wsgi_matrix.suites.slow_clients.suite import NAME as SLOW

INTRO = """\
# The grid

Made by `make grid`: every server × every app × every suite, then
`python -m wsgi_matrix.docs_pages.grid build/matrix/results.json >docs/grid.md`. Nothing here is
written by hand. Servers run as `peers/NAME/` and `matrix.toml` call them, with their own defaults;
the page says what came of it. What stands behind a mark (the octets, what is accepted, what came)
is in `results.json` of a run: `wsgi-matrix run --suite rules --servers NAME` shows it for one
server.
"""
TITLES = {
    HELLO: "Limits: every framework under each profile",
    CONTRACT: "The contract of the apps",
    RULES: "PEP 3333, HTTP/1.1, request smuggling",
    SLOW: "Slow clients",
    STOP: "Stop and reload",
    LIMITS: "Descriptors that nobody needs",
}
SAYS = {
    HELLO: "Cells, over all profiles of limits and all Pythons, by their outcome.",
    CONTRACT: "Checks of all exchanges, compared over apps and servers, by their outcome.",
    RULES: "A row is a rule, a column is a server.",
    SLOW: "32 bad clients of one kind, then eight good ones; what was measured stands with what is "
    "kept. A time-out longer than 80 s is not told from none, and can only differ.",
    STOP: "One worker, one request in flight, one queued, one connection idle, and the signal. "
    "A server that has no reload is not asked for one.",
    LIMITS: "Seconds to the first answer and anonymous memory after a burst of 32 clients.",
}
Results = dict[str, Any]


def render(values: Sequence[Results], servers: dict[str, Server]) -> str:
    """The whole document from values of ``results.json``; ``servers`` tells their versions."""
    newest = {cell["id"]: cell for value in values for cell in value["cells"]}
    cells = list(newest.values())
    names = list(dict.fromkeys(cell["server"] for cell in cells))
    parts = [INTRO, *map(_run, values), _legend(), "## Servers\n", _servers(cells, names, servers)]
    parts += ["\n## In short\n\nChecks by their outcome, all cells of a suite together.\n"]
    there = [suite for suite in TITLES if any(cell["suite"] == suite for cell in cells)]
    parts.append(_table(["server", *there], (_short(cells, name, there) for name in names)))
    for suite in there:
        of_suite = [cell for cell in cells if cell["suite"] == suite]
        parts += [f"\n## {TITLES[suite]}\n\n{SAYS[suite]}\n"]
        if suite in (HELLO, CONTRACT):
            parts.append(_by_app(of_suite, names, whole_cells=suite == HELLO))
        elif suite == LIMITS:
            parts.append(_by_profile(of_suite, names))
        else:
            parts.append(_by_rule(of_suite, names, figures=suite != RULES))
    return "\n".join(parts)


def _run(value: Results) -> str:
    run = value["run"]
    phases = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in run["phases"].items())
    partial = f" A part of it: {run['partial_reason']}." if run["partial"] else ""
    return (
        f"{run['started']}, {run['where']}, {run['kernel']}: {len(value['cells'])} cells in "
        f"{run['seconds']:.0f} s ({phases}).{partial}\n"
    )


def _legend() -> str:
    return "; ".join(f"{MARKS[outcome]} {LEGEND[outcome]}" for outcome in ORDER) + ".\n"


def _servers(cells: list[Results], names: Iterable[str], servers: dict[str, Server]) -> str:
    rows = []
    for name in names:
        mine = [cell for cell in cells if cell["server"] == name]
        images = dict.fromkeys(cell["image"]["id"] for cell in mine if cell["image"])
        default = [c for c in mine if c["suite"] == LIMITS and c["limits"]["nofile"] is None]
        server = servers.get(name)
        product = f"{server.product} {server.version}".strip() if server else ""
        rows.append(
            [
                name,
                product or "this tree",
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
            if found[outcome] and outcome is not Outcome.SKIP
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
            told = figures and check["outcome"] == Outcome.PASS and check["detail"]
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
        cell["checks"][0]["detail"] for cell in cells if cell["outcome"] == Outcome.SKIP
    )
    notes = "".join(f"\n{MARKS[Outcome.SKIP]} {reason}\n" for reason in skipped)
    return _table(["server", *profiles], rows) + notes


def _cost(cell: Results) -> str:
    by_id = {check["id"]: check for check in cell["checks"]}
    judged = [by_id[name] for name in ("boot", "memory") if name in by_id]
    if cell["outcome"] == Outcome.SKIP or not judged:
        return MARKS[Outcome.SKIP]
    return "<br>".join(
        f"{MARKS[Outcome(check['outcome'])]} {check['detail'].partition(',')[0].partition(';')[0]}"
        for check in judged
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(map(_inline, line)) + " |" for line in lines) + "\n"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(paths: Sequence[str]) -> int:
    """Write the document for the files at ``paths`` to stdout."""
    matrix = matrix_toml.load(matrix_toml.find(Path.cwd()))
    sys.stdout.write(render([saved.read(Path(path)) for path in paths], matrix.servers))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
