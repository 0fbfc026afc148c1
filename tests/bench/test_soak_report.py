"""The page and the picture of a soak."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import soak_report
from docs.generate.blocks import BlockError

SAMPLE = soak_report.Sample(
    seconds=0.0, right=0, workers=3, descriptors=20, master_descriptors=14, zombies=0,
    memory=13_000, master_memory=12_000,
)  # fmt: skip
REPORT = soak_report.Report(
    date="2026-11-23", onegate="0.1.0 (b35e951)", python="3.11.7", system="Linux 6.1",
    processors=2, seconds=20, sent=1200, right=1199, lost=[], killed=1, bad=7,
    events=[(5.0, "hup")], problems=[], compared=1000,
    samples=[replace(SAMPLE, seconds=at, right=int(60 * at)) for at in (0.0, 10.0, 20.0)],
)  # fmt: skip


def test_the_page_says_when_and_of_what_it_is(tmp_path: Path) -> None:
    page = tmp_path / "soak.md"
    page.write_text("before\n<!-- soak -->\nFORMERLY\n<!-- /soak -->\nbehind\n")
    soak_report.write_docs(REPORT, tmp_path)
    text = page.read_text()
    assert "20 seconds on 2026-11-23: onegate 0.1.0 (b35e951), Python 3.11.7, Linux 6.1" in text
    assert "| lost to kill -9 of a worker | 1 |" in text
    assert "FORMERLY" not in text
    assert ET.parse(tmp_path / "soak.svg").getroot().tag.endswith("svg")


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "soak.md").write_text("nothing to fill\n")
    with pytest.raises(BlockError):
        soak_report.write_docs(REPORT, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["soak.md"]
