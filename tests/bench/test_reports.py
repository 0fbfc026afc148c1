"""Terminal, Markdown and picture say the same, and hide nothing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import picture, reports
from bench.model import Trial
from tests.bench.helpers import results, sample, trial

SVG = "{http://www.w3.org/2000/svg}"
SPEEDS = {"onegate": 80.0, "bjoern": 100.0, "granian": 90.0, "in-process": 900.0}
BAD = {"timeout": 7}
SOME = results(
    [
        sample(name, speed, scenario=scenario, problems=BAD if name == "granian" else {})
        for scenario in ("keepalive", "close")
        for name, speed in SPEEDS.items()
    ],
    [
        trial("onegate"),
        trial("bjoern"),
        trial("granian"),
        Trial(server="fastwsgi", app="raw", reason="ended with status 1: no such | module"),
    ],
)


@pytest.mark.parametrize("text", [reports.console(SOME), reports.markdown(SOME)])
def test_every_server_is_there_with_what_went_wrong(text: str) -> None:
    for name in SPEEDS:
        assert ("no server" if name == "in-process" else name) in text
    assert "invalid: 7 × timeout" in text
    assert "fastwsgi, raw: ended with status 1" in text
    assert "raw, keep-alive: bjoern is first" in text
    assert "0.80 (0.80–0.80)" in text
    assert "3.11.7" in text


def test_markdown_goes_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "benchmark.md"
    page.write_text("before\n<!-- bench -->\nFORMERLY\n<!-- /bench -->\nbehind\n")
    for _ in range(2):
        reports.write_docs(SOME, tmp_path)
        text = page.read_text()
        assert text.startswith("before\n<!-- bench -->\n\n2026-01-02")
        assert text.endswith("\n<!-- /bench -->\nbehind\n")
        assert "FORMERLY" not in text


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "benchmark.md"
    page.write_text("nothing to fill\n")
    with pytest.raises(reports.ReportError, match="<!-- bench -->"):
        reports.write_docs(SOME, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["benchmark.md"]


def test_the_rows_of_a_markdown_table_have_one_number_of_cells() -> None:
    block: set[int] = set()
    for line in [*reports.markdown(SOME).splitlines(), ""]:
        if line.startswith("|"):
            block.add(line.replace("\\|", "").count("|"))
        else:
            assert len(block) <= 1, line
            block.clear()


def test_the_picture_has_a_dot_for_each_figure() -> None:
    root = ET.fromstring(picture.draw(SOME))
    hints = {title.text for circle in root.iter(f"{SVG}circle") for title in circle}
    assert "onegate, raw: 9%" in hints
    assert "granian, raw: 10%, invalid" in hints
    assert "bjoern, raw: 20" in hints  # MiB
    assert len(hints) == 5 + 2 - 1  # keep-alive and close say the same; memory is 20 for all three


def test_dots_stand_within_their_panels() -> None:
    root = ET.fromstring(picture.draw(SOME))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for circle in root.iter(f"{SVG}circle"):
        assert picture.NAMES <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height


def test_a_picture_of_nothing_is_still_one() -> None:
    ET.fromstring(picture.draw(results([])))
