"""The table of ``docs/conformance-http1.md`` has every rule; ``make docs`` fills in its columns."""

from __future__ import annotations

from pathlib import Path

from tests.server.http1.cases import CASES

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "docs" / "conformance-http1.md"
RULES = range(1, 86)


def rows() -> list[list[str]]:
    """The cells of every row."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| R")]
    return [line.strip("| ").split(" | ") for line in lines]


def test_every_rule_has_its_row_in_order() -> None:
    assert [row[0] for row in rows()] == [f"R{number}" for number in RULES]
    assert {len(row) for row in rows()} == {8}


def test_every_rule_of_the_corpus_has_its_row() -> None:
    assert {rule for case in CASES for rule in case.rules} <= {row[0] for row in rows()}
