"""``docs/results/grid.json``: what the grid and the site show of a run, without its evidence.

python -m docs.generate.grid build/matrix/results.json    write it, and docs/results/grid.md of it

Of several files, each cell is shown as the last one has it: a part can be run again by itself.

Most of a results.json is octets. Here every text is written once, cells that were asked the same
share the list of it, and a cell is a list (``FIELDS``) with a letter for each outcome: the first of
``pass``, ``fail``, ``differ``, ``error``, ``xfail``, ``skip``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.docs_pages import grid as grid_docs
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.results import results_reader
from wsgi_matrix.suites import registry
from wsgi_matrix.suites.api import Layout

from docs.generate import versions

ROOT = Path(__file__).parents[2]
DATA = ROOT / "docs" / "results" / "grid.json"
FORMAT = 1
LONGEST = 200
"""Characters of what was found by a check; the rest is in the run's own report."""
MEASURED = tuple(
    name
    for name, kind in registry.types().items()
    if kind.layout in (Layout.MEASURED_RULES, Layout.COST_BY_LIMITS)
)
"""Suites whose page says what was measured where a check passed, and the memory of a cell."""

RUN = (
    *("tool_version", "where", "kernel", "started", "seconds", "phases"),
    *("partial", "partial_reason"),
)
CELL = ("id", "suite", "server", "app", "framework_version", "python", "outcome")
FIGURES = ("ready_seconds", "memory")
FIELDS = (*CELL, *FIGURES, "limits", "nofile", "image", "asked", "outcomes", "details")
CHECK = ("id", "alias", "level", "title", "says", "cite")
LETTERS = {outcome.value[0]: outcome.value for outcome in Outcome}
Value = dict[str, Any]


def pack(values: Sequence[Value], servers: dict[str, str]) -> Value:
    """What is kept of ``values`` of results.json. ``servers``: product and version of each."""
    texts: dict[str, int] = {}
    checks: dict[tuple[str, ...], int] = {}
    asked: dict[tuple[int, ...], int] = {}

    def number(of: dict[Any, int], key: Any) -> int:
        return of.setdefault(key, len(of))

    def cell(value: Value) -> list[Any]:
        measured = value["suite"] in MEASURED
        there = [number(checks, tuple(each[key] for key in CHECK)) for each in value["checks"]]
        details = {
            str(at): number(texts, _shortened(each["detail"]))
            for at, each in enumerate(value["checks"])
            if each["detail"] and (measured or each["outcome"] != Outcome.PASS)
        }
        kept = {
            **{key: value[key] for key in CELL},
            **{key: value[key] if measured else None for key in FIGURES},
            "limits": value["limits"]["name"],
            "nofile": value["limits"]["nofile"],
            "image": number(texts, value["image"]["id"]) if value["image"] else None,
            "asked": number(asked, tuple(there)),
            "outcomes": "".join(each["outcome"][0] for each in value["checks"]),
            "details": details,
        }
        return [kept[field] for field in FIELDS]

    runs = [
        {**{key: value["run"][key] for key in RUN}, "cells": [*map(cell, value["cells"])]}
        for value in values
    ]
    return {
        "format": FORMAT,
        "fields": list(FIELDS),
        "servers": servers,
        "texts": list(texts),
        "checks": [list(each) for each in checks],
        "asked": [list(each) for each in asked],
        "runs": runs,
    }


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def unpack(data: Value) -> list[Value]:
    """Values as results.json has them, as far as they were kept."""
    texts, checks = data["texts"], [dict(zip(CHECK, each, strict=True)) for each in data["checks"]]

    def cell(values: list[Any]) -> Value:
        kept = dict(zip(FIELDS, values, strict=True))
        asked, details, image = data["asked"][kept["asked"]], kept["details"], kept["image"]
        judged = []
        for at, (number, letter) in enumerate(zip(asked, kept["outcomes"], strict=True)):
            detail = texts[details[str(at)]] if str(at) in details else ""
            judged.append({**checks[number], "outcome": LETTERS[letter], "detail": detail})
        return {
            **{key: kept[key] for key in (*CELL, *FIGURES)},
            "limits": {"name": kept["limits"], "nofile": kept["nofile"]},
            "image": None if image is None else {"id": texts[image]},
            "checks": judged,
        }

    return [
        {"run": {key: run[key] for key in RUN}, "cells": [*map(cell, run["cells"])]}
        for run in data["runs"]
    ]


def dumps(data: Value) -> str:
    """As JSON with a line for each text, check and cell, so that a change shows where it is."""
    runs = [{**run, "cells": "CELLS"} for run in data["runs"]]
    parts = [f"{_line(key)}:{_lines(value)}" for key, value in (data | {"runs": runs}).items()]
    text = "{\n" + ",\n".join(parts) + "\n}\n"
    for run in data["runs"]:
        text = text.replace('"CELLS"', _lines(run["cells"]), 1)
    return text


def _lines(value: Any) -> str:
    if not isinstance(value, list):
        return _line(value)
    return "[\n" + ",\n".join(map(_line, value)) + "\n]"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(path: Path) -> Value:
    """The data at ``path``. Raises ``OSError``, and ValueError if it is of another format."""
    data: Value = json.loads(path.read_text("utf-8"))
    if data.get("format") != FORMAT:
        raise ValueError(f"{path}: not in format {FORMAT}: run make grid")
    return data


def page() -> str:
    """``docs/results/grid.md``."""
    data = read(DATA)
    return grid_docs.render(unpack(data), data["servers"])


def main(paths: Sequence[str]) -> int:
    """Write the data of the results at ``paths``, and the page of it."""
    values = [results_reader.read(Path(path)) for path in paths]
    there = config.load(ROOT / "matrix.toml").servers.values()
    servers = {each.name: f"{each.product} {each.version}".strip() for each in there}
    servers["onegate"] = f"onegate {versions.onegate()}"
    DATA.write_text(dumps(pack(values, servers)), "utf-8")
    DATA.with_suffix(".md").write_text(page().rstrip() + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
