"""What the page marks as different, by the script itself."""

from __future__ import annotations

import random
import re
from importlib import resources

import pytest

SOURCE = (resources.files("wsgi_matrix.reports.html") / "octets.js").read_text(encoding="utf-8")
COMPARE = """
return difference(...arguments).map(({ octets, marked, gaps, first }) => ({
  marked: [...octets].map((octet, place) => (marked[place] ? octet : "")).join(""),
  same: [...octets].map((octet, place) => (marked[place] ? "" : octet)).join(""),
  gaps: [...gaps].sort((a, b) => a - b),
  first,
}));
"""


@pytest.fixture
def compared(browser):
    """`compared(here, there)` → both sides."""
    return lambda here, there: browser.script(SOURCE + COMPARE, here, there)


@pytest.mark.parametrize(
    ("here", "there", "marked", "gaps", "first"),
    [
        ("", "", ["", ""], [[], []], [-1, -1]),
        ("a\r\nb", "a\r\nb", ["", ""], [[], []], [-1, -1]),
        ("Date: x\r\na", "date: yy\r\na", ["", ""], [[], []], [-1, -1]),
        ("200 OK\r\n", "400 No\r\n", ["200 OK", "400 No"], [[], []], [0, 0]),
        ("ab\n", "aXb\n", ["", "X"], [[1], []], [1, 1]),
        ("a\nb\n", "a\nnew\nb\n", ["", "new\n"], [[2], []], [2, 2]),
        ("a\nb\n", "a\n", ["b\n", ""], [[], [2]], [2, 2]),
        ("a", "", ["a", ""], [[], [0]], [0, 0]),
        ("a\r\n", "a\n", ["\r", ""], [[], [1]], [1, 1]),
        ("\x00\xff", "\x00\xfe", ["\xff", "\xfe"], [[], []], [1, 1]),
    ],
)
def test_the_first_octets_that_differ_are_marked(compared, here, there, marked, gaps, first):
    sides = compared(here, there)
    assert [side["marked"] for side in sides] == marked
    assert [side["gaps"] for side in sides] == gaps
    assert [side["first"] for side in sides] == first


def test_what_is_not_marked_is_the_same_on_both_sides(compared):
    chance = random.Random(11)
    for _ in range(60):
        lines = [f"{chance.choice('abc')}: {chance.randrange(4)}\r\n" for _ in range(12)]
        other = [line for line in lines if chance.random() > 0.3]
        other.insert(chance.randrange(len(other) + 1), "new: \xe9\r\n")
        here, there = compared("".join(lines), "".join(other))
        assert here["same"] == there["same"]
        assert "new" in there["marked"] or "\xe9" in there["marked"]


def test_long_answers_are_compared_at_once(compared):
    lines = "".join(f"line {number}\n" for number in range(5000))
    sides = compared(f"{lines}x", f"{lines}y")
    assert [side["marked"] for side in sides] == ["x", "y"]
    assert re.fullmatch(r"(line \d+\n){5000}", sides[0]["same"])
