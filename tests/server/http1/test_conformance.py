"""The table of ``docs/conformance-http1.md`` says what is there."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

from tests.server.http1.cases import CASES

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "docs" / "conformance-http1.md"
RULES = range(1, 86)


def rows() -> list[list[str]]:
    """The cells of every row."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| R")]
    return [line.strip("| ").split(" | ") for line in lines]


def names_by_rule() -> dict[str, set[str]]:
    """The tests whose names begin with a rule, or with several."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in HERE.parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            if match := re.match(r"test((?:_R\d+)+)_", node.name):
                for rule in re.findall(r"R\d+", match[1]):
                    found[rule].add(node.name)
    return found


def test_every_rule_has_its_row_in_order() -> None:
    assert [row[0] for row in rows()] == [f"R{number}" for number in RULES]
    assert {len(row) for row in rows()} == {8}


def test_every_row_names_all_tests_of_its_rule() -> None:
    there = names_by_rule()
    for row in rows():
        named = set(re.findall(r"`(test_\w+)`", row[7]))
        assert named == there[row[0]], row[0]
        assert row[5] == ("met" if named else "not met"), row[0]


def test_every_row_counts_its_cases() -> None:
    counted: Counter[str] = Counter()
    for case in CASES:
        counted.update(set(case.rules))
    assert set(counted) <= {f"R{number}" for number in RULES}
    assert {row[0]: row[6] for row in rows()} == {
        f"R{number}": str(counted[f"R{number}"] or "–") for number in RULES
    }
