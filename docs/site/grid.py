"""The front page, and a page for each server with the cases of all its squares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from wsgi_matrix.model.outcome_semantics import ORDER, WORST
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.reports.grid import LEGEND, MARKS
from wsgi_matrix.suites import registry

from docs.generate import grid

SUITES = registry.types()
Page = tuple[str, dict[str, Any], str]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_config_value("grid_data", str(grid.DATA), "html")
    app.connect("html-collect-pages", pages)
    app.connect("html-page-context", front)
    return {"parallel_read_safe": True}


def front(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Let the theme's links to the first page lead to the grid, which is no document of Sphinx."""
    context["master_doc"] = "index"


@dataclass(frozen=True)
class Square:
    """A server and a framework, or a server and a suite that is the same for all of them."""

    server: str
    column: str
    cells: tuple[grid.Value, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of its cells."""
        there = {Outcome(cell["outcome"]) for cell in self.cells}
        return next(each for each in WORST if each in there)

    @property
    def text(self) -> str:
        """How many of its cases came out how."""
        return counted(check["outcome"] for cell in self.cells for check in cell["checks"])


def counted(outcomes: Iterable[str]) -> str:
    """``✔ 12 ✘ 3``; what was skipped counts only if there is nothing else."""
    found = Counter(map(Outcome, outcomes))
    judged = [each for each in ORDER if found[each] and each is not Outcome.SKIP]
    return " ".join(f"{MARKS[each]} {found[each]}" for each in judged) or MARKS[Outcome.SKIP]


def squares(values: list[grid.Value]) -> dict[str, dict[str, Square]]:
    """By server and column; of two runs of a cell the last one counts."""
    cells = {cell["id"]: cell for value in values for cell in value["cells"]}.values()
    made: dict[str, dict[str, list[grid.Value]]] = {}
    for cell in cells:
        column = cell["suite"] if SUITES[cell["suite"]].apps else cell["app"]
        made.setdefault(cell["server"], {}).setdefault(column, []).append(cell)
    return {
        server: {name: Square(server, name, tuple(there)) for name, there in columns.items()}
        for server, columns in made.items()
    }


def pages(app: Sphinx) -> Iterator[Page]:
    """The front page, and those of the servers."""
    data = grid.read(Path(app.config.grid_data))
    values = grid.unpack(data)
    rows = squares(values)
    names = dict.fromkeys(name for row in rows.values() for name in row)
    suites = [name for name in names if name in SUITES]
    shared = {
        "rows": rows,
        "apps": [name for name in names if name not in suites],
        "suites": suites,
        "titles": {name: kind.title for name, kind in SUITES.items()},
        "says": {name: kind.caption for name, kind in SUITES.items()},
        "versions": data["servers"],
        "runs": [{**value["run"], "cells": len(value["cells"])} for value in values],
        "legend": [(each.value, MARKS[each], LEGEND[each]) for each in ORDER],
        "marks": {each.value: MARKS[each] for each in ORDER},
        "counted": counted,
        "frameworks": _frameworks(rows),
        "anchor": anchor,
    }
    yield "index", {**shared, "title": "The grid"}, "grid.html"
    for server, row in rows.items():
        columns = [row[name] for name in names if name in row]
        context = {**shared, "title": server, "server": server, "columns": columns}
        yield f"grid/{server}", context, "server.html"


def _frameworks(rows: dict[str, dict[str, Square]]) -> dict[str, str]:
    """Versions of each app's framework, as far as they are known."""
    found: dict[str, dict[str, None]] = {}
    for row in rows.values():
        for name, square in row.items():
            for cell in square.cells:
                found.setdefault(name, {})[cell["framework_version"]] = None
    return {name: ", ".join(filter(None, versions)) for name, versions in found.items()}


def anchor(text: str) -> str:
    """``text`` as a name to link to."""
    return re.sub(r"[^\w.-]+", "-", text)
