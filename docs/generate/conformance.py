"""The columns of the conformance tables that follow from the rules and from the tests.

*requirement* and *what onegate does* are written by hand. *reference* and *level* are the rule's,
*cases* counts the corpus, *tests* are those whose names begin with the rule, such as
``test_R13_R14_two_hosts``. A row is *not met* if there is none, and *tests* then says why.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter, defaultdict
from pathlib import Path

from wsgi_matrix.docs_pages.rules import rows

from tests.server.http1.cases import CASES

TESTS = Path(__file__).parents[2] / "tests" / "server"
NAME = re.compile(r"test((?:_[RW]\d+)+)_")


@functools.cache
def tests_by_rule() -> dict[str, list[str]]:
    """Names of the tests of each rule, in the order of their modules and lines."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and (match := NAME.match(node.name)):
                for rule in match[1].removeprefix("_").split("_"):
                    found[rule][node.name] = None
    return {rule: list(names) for rule, names in found.items()}


@functools.cache
def cases_by_rule() -> Counter[str]:
    """How many cases of the corpus show each rule."""
    return Counter(rule for case in CASES for rule in set(case.rules))


def columns(page: str) -> str:
    """``page`` with the generated columns of its rows as they have to be."""
    lines = []
    titles: list[str] = []
    for line in page.splitlines():
        cells = line.strip("| ").split(" | ")
        if cells[0] == "rule":
            titles = cells
        elif titles and re.fullmatch(r"[RW]\d+", cells[0]):
            row = _row(dict(zip(titles, cells, strict=True)))
            lines.append(f"| {' | '.join(row.values())} |")
            continue
        lines.append(line)
    return "\n".join(lines) + "\n"


def _row(row: dict[str, str]) -> dict[str, str]:
    name = row["rule"]
    if rule := rows().get(name):
        row |= {"reference": rule.cite, "level": rule.level.value}
    tests = tests_by_rule().get(name, [])
    row["state"] = "met" if tests else "not met"
    if tests:
        row["tests"] = ", ".join(f"`{test}`" for test in tests)
    if "cases" in row:
        row["cases"] = str(cases_by_rule()[name] or "–")
    return row
