"""``docs/results/grid.json``: all that the page shows is in it, and little else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wsgi_matrix.docs_pages import grid as grid_docs
from wsgi_matrix.results import results_json

from docs.generate import grid
from tests.browser import made_up

SERVERS = {"onegate": "onegate 0.1.0 (b35e951)", "gunicorn": "gunicorn 27.0.1"}


@pytest.fixture(scope="module")
def value() -> grid.Value:
    """A whole grid, made up, as results.json has it."""
    found: grid.Value = json.loads(results_json.dumps(results_json.results(made_up.full_grid())))
    return found


def test_the_page_is_the_same_as_from_the_results_themselves(value: grid.Value) -> None:
    kept = json.loads(grid.dumps(grid.pack([value], SERVERS)))
    shown = grid_docs.render(grid.unpack(kept), kept["servers"])
    assert shown == grid_docs.render([value], SERVERS)
    assert "| gunicorn | gunicorn 27.0.1 |" in shown


def test_of_two_runs_a_cell_is_shown_as_the_last_one_has_it(value: grid.Value) -> None:
    again = value | {"cells": [cell | {"outcome": "skip"} for cell in value["cells"][:3]]}
    kept = grid.unpack(grid.pack([value, again], {}))
    assert [len(each["cells"]) for each in kept] == [len(value["cells"]), 3]
    assert grid_docs.render(kept, {}) == grid_docs.render([value, again], {})


def test_it_is_small_and_has_a_line_for_each_cell(value: grid.Value) -> None:
    text = grid.dumps(grid.pack([value], SERVERS))
    assert len(text) < 300_000
    for cell in value["cells"]:
        assert text.count(f'\n["{cell["id"]}",') == 1


def test_every_case_of_a_cell_is_there_with_what_was_found(value: grid.Value) -> None:
    [unpacked] = grid.unpack(grid.pack([value], {}))
    for kept, cell in zip(unpacked["cells"], value["cells"], strict=True):
        for mine, check in zip(kept["checks"], cell["checks"], strict=True):
            for key in ("id", "alias", "outcome", "level", "title", "says", "cite"):
                assert mine[key] == check[key]
            found = check["detail"] if check["outcome"] != "pass" else ""
            cut = found[: grid.LONGEST - 1] + "…"
            assert mine["detail"] == (found if len(found) <= grid.LONGEST else cut)


def test_data_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grid.json"
    path.write_text('{"format": 0}')
    with pytest.raises(ValueError, match=r"grid\.json: not in format 1: run make grid"):
        grid.read(path)


def test_a_run_is_published_as_data_and_as_a_page(
    value: grid.Value, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.json"
    results.write_text(results_json.dumps(results_json.results(made_up.small())))
    monkeypatch.setattr(grid, "DATA", tmp_path / "grid.json")
    assert grid.main([str(results)]) == 0
    page = (tmp_path / "grid.md").read_text("utf-8")
    assert page == grid.page().rstrip() + "\n"
    assert "wsgi-matrix 0." in page
    assert "| onegate | onegate 0." in page
