"""What a run costs as it grows: the matrix that is made, the table and the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from wsgi_matrix.config import matrix_toml, plan

from bench.cells import matrix_of, measure
from bench.growth import draw, table


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_the_matrix_has_as_many_cells_as_asked_for(tmp_path, count):
    (tmp_path / "matrix.toml").write_text(matrix_of(count))
    cells = plan.make_cells(matrix_toml.load(tmp_path / "matrix.toml"), plan.Selection())
    assert len({cell.id for cell in cells}) == count


def test_a_run_is_measured_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.cells.FOLDER", tmp_path)
    monkeypatch.delenv("WSGI_MATRIX_REQUIRE_DOCKER", raising=False)
    found = measure(10, "process")
    assert found.cells == 10
    assert 10 * 2**20 < found.rss < 2**30
    assert 0 < found.engine_share < 1
    assert found.reports["results.json"].octets > 10_000
    run = {
        "engine": "process",
        "version": "3.11",
        "runs": 1,
        "seconds": found.seconds,
        "engine_share": found.engine_share,
        "rss": found.rss,
        "reports": {"results.json": {"octets": 1024, "seconds": 0.5}},
    }
    runs = [run | {"cells": 10}, run | {"cells": 20, "seconds": 2 * found.seconds}]
    origin = {"date": "2026-11-24", "version": "0.1.0 (b35e951)", "machine": "2 cores"}
    result = {**origin, "load": 0.5, "runs": runs}
    assert "2026-11-24, wsgi-matrix 0.1.0 (b35e951), 2 cores; load 0.5" in table(result)
    assert table(result).count("\n| process") == 2
    assert "1 KiB, 0.50 s" in table(result)
    picture = ET.fromstring(draw(result))
    lines = picture.findall(".//{*}polyline")
    (a, b) = (tuple(map(float, p.split(","))) for p in lines[0].get("points").split())
    left, bottom = 60, 56 + 180
    # Twice the cells and twice the time is one line through the origin.
    assert (b[0] - left) / (a[0] - left) == pytest.approx(2, abs=0.02)
    assert (bottom - b[1]) / (bottom - a[1]) == pytest.approx(2, abs=0.02)
