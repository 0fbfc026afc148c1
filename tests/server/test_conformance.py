"""The tables of conformance in ``docs/``: every rule has its row, every test named exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = Path(__file__).parents[2] / "docs"


@functools.cache
def all_tests() -> set[str]:
    """The names of all tests of the server."""
    return {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("name", ["conformance-wsgi.md", "conformance-http1.md"])
def test_every_test_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"`(?:[\w./]+::)?(test_\w+)(?:\[[^`]*\])?`", (DOCS / name).read_text()))
    assert named
    assert named - all_tests() == set()


def test_every_rule_of_pep_3333_has_its_row() -> None:
    """``python -m docs`` fills in its tests; where there are none, it has to say why."""
    rows = re.findall(
        r"^\| W(\d+) \| .* \| (?:met|not met) \| (.+) \|$",
        (DOCS / "conformance-wsgi.md").read_text(),
        re.MULTILINE,
    )
    assert [int(number) for number, _ in rows] == list(range(1, 83))
