"""Terminal, Markdown and picture say the same, and hide nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import picture, reports, tables
from bench.bars import BARS
from bench.model import Trial
from bench.process import ROOT
from bench.results import Results
from docs.generate import blocks
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
    assert "raw, same octets, keep-alive: bjoern is first" in text
    assert "0.80 (0.80–0.80)" in text
    assert "3.11.7" in text


def pages(top: Path, *, without: tuple[str, str] = ("", "")) -> dict[Path, str]:
    """Pages with marks but for one, by their paths."""
    (top / "docs/results").mkdir(parents=True)
    found = {}
    for name, marks in reports.PLACES.items():
        text = "before\n"
        for mark in marks:
            if (name, mark) != without:
                text += f"<!-- {mark} -->\nFORMERLY\n<!-- /{mark} -->\nbehind {mark}\n"
        (top / name).write_text(text)
        found[top / name] = text
    return found


def test_figures_go_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    made = pages(tmp_path)
    other = replace(SOME, versions={**SOME.versions, "python": "3.14.8"})
    for _ in range(2):
        reports.write_docs(SOME, tmp_path, [other])
        for page in made:
            text = page.read_text()
            heading = "## Speed\n\n" if page.name == "README.md" else ""
            begin = f"before\n<!-- headline -->\n\n{heading}Processor time of the "
            assert text.startswith(begin)
            assert "\n<!-- /headline -->\nbehind headline\n" in text
            assert "FORMERLY" not in text
    manual = (tmp_path / reports.PAGE).read_text()
    assert "<!-- bench -->\n\n2026-01-02" in manual
    assert manual.endswith("\n<!-- /bench -->\nbehind bench\n")
    assert "\n## Python 3.14.8\n" in manual
    assert "2026-01-02" in (tmp_path / "README.md").read_text()
    assert (tmp_path / "docs/results/benchmark.svg").is_file()


@pytest.mark.parametrize(
    "without", [(name, mark) for name, marks in reports.PLACES.items() for mark in marks]
)
def test_pages_are_left_alone_where_one_has_no_marks(
    tmp_path: Path, without: tuple[str, str]
) -> None:
    made = pages(tmp_path, without=without)
    name, mark = without
    with pytest.raises(reports.ReportError, match=f"{name}: there is no <!-- {mark} -->"):
        reports.write_docs(SOME, tmp_path)
    assert {page: page.read_text() for page in made} == made
    assert not (tmp_path / "docs/results/benchmark.svg").exists()


def test_the_pages_of_this_tree_have_their_marks() -> None:
    for name, marks in reports.PLACES.items():
        for mark in marks:
            blocks.read((ROOT / name).read_text(), mark)


def measured(**speeds: tuple[float, float]) -> Results:
    """Seven rounds of traffic, of servers with so many requests/s and µs of processor time."""
    samples = [
        sample(name.replace("_", "-"), rps, number, app="flask", scenario="traffic", cpu_us=cpu)
        for number in range(7)
        for name, (rps, cpu) in speeds.items()
    ]
    return results(samples, [trial(name.replace("_", "-"), "flask") for name in speeds])


def test_the_first_figure_names_the_cheapest_and_the_fastest_peer() -> None:
    found = measured(
        onegate=(3000.0, 300.0), bjoern=(2000.0, 250.0), granian=(4000.0, 400.0), nginx=(9e4, 5.0)
    )
    (row,) = tables.headline(found)
    assert row == (
        *("Flask", "kept alive", "300 µs", "bjoern 250 µs", "1.20 (1.20–1.20)", "granian"),
        "0.75 (0.75–0.75)",
    )
    lines = reports.headline(found).splitlines()
    assert lines[0].startswith("Processor time of the server and the application")
    assert "bjoern 250 µs" in lines[4]


def test_the_overview_has_every_server_the_cheapest_first() -> None:
    found = measured(
        granian=(4000.0, 400.0), bjoern=(2000.0, 250.0), onegate=(3000.0, 300.0), nginx=(9e4, 5.0)
    )
    ((title, rows),) = tables.overview(found.figures())
    assert title == "no two requests alike, keep-alive"
    assert [row[0] for row in rows] == ["nginx", "onegate", "bjoern", "granian"]
    assert rows[2] == (
        *("bjoern", "–", "250 µs", "–", "–"),
        *("–", "0.67", "–", "–", ""),
    )
    assert {len(row) for row in rows} == {len(tables.OVERVIEW_HEAD)}


def test_bars_say_whether_they_are_reached_and_why_not() -> None:
    found = measured(onegate=(3000.0, 300.0), bjoern=(2000.0, 250.0))
    rows = dict(tables.by_part(found.verdicts()))["traffic as it comes"]
    assert rows[0] == (
        "processor time per request, flask, no two requests alike, keep-alive",
        "≤ 1 × the best peer",
        "1.20 (1.20–1.20)",
        "bjoern",
        "**no**",
    )
    assert rows[1][-1] == "yes"
    assert rows[2][-2:] == ("", "not measured")
    few = results([each for each in found.samples if each.round < 6], found.trials)
    assert tables.by_part(few.verdicts())[0][1][0][-1] == "6 of 7 rounds"
    said = tables.tally(found.verdicts())
    assert said.startswith(f"1 of {len(BARS)} bars are reached, 2 are not,")
    assert said in reports.console(found)
    assert said in reports.markdown(found)


def test_what_is_answered_wrongly_is_told() -> None:
    wrong = Trial(server="muru", app="raw", wrong={"traffic": "page: status 400"})
    found = results([sample("onegate", 1.0)], [trial("onegate"), wrong])
    assert tables.absent(found) == [
        "muru, raw, no two requests alike, keep-alive: page: status 400"
    ]


def test_a_load_that_is_the_limit_is_told() -> None:
    for busy, said in ((0.94, ""), (0.96, "requests/s limited by the load")):
        (figure,) = results([sample("nginx", 1.0, load_busy=busy)]).figures()
        assert tables.note(figure) == said


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
