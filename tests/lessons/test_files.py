"""What is promised of the lessons' files."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parents[2] / "lessons"
LESSONS = sorted(FOLDER.glob("lesson*.py"))
DOCS = FOLDER.parent / "docs" / "lessons"


def test_there_are_ten_in_order():
    assert [path.name[:8] for path in LESSONS] == [f"lesson{n:02}" for n in range(1, 11)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_less_than_80_lines(path):
    assert len(path.read_text().splitlines()) < 80


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_only_the_standard_library_is_imported(path):
    beside = {"client", "rules"}
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            names = [node.module]
        for name in names:
            assert name.partition(".")[0] in sys.stdlib_module_names | beside, name


@pytest.mark.parametrize("path", LESSONS[:9], ids=lambda path: path.stem)
def test_a_server_stands_alone(path):
    assert not re.search(r"(?m)^(?:from|import) (?:client|rules|lesson)", path.read_text())


@pytest.mark.parametrize("number", range(1, 11))
def test_each_lesson_has_a_page_that_names_its_file_and_has_something_to_try(number):
    [page] = DOCS.glob(f"{number:02}-*.md")
    text = page.read_text()
    assert f"../../lessons/{LESSONS[number - 1].name}" in text
    assert "**Try it yourself**" in text
    for name in re.findall(r"\]\(([^)#]+)\)", text):
        assert (DOCS / name).exists(), name
    assert page.name in (DOCS / "README.md").read_text()


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.svg")), ids=lambda path: path.stem)
def test_a_diagram_is_whole_has_a_title_and_is_shown(path):
    title = ElementTree.parse(path).getroot().find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text
    assert any(f"]({path.name})" in page.read_text() for page in DOCS.glob("*.md"))
