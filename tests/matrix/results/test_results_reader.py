"""Reading results.json: files that each version of it wrote, and what is none.

``saved/schema-N.json``: what wsgi-matrix wrote when N was its schema, cut to one cell.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from wsgi_matrix import __version__
from wsgi_matrix.errors import UserError
from wsgi_matrix.reports import console, html, junit, markdown
from wsgi_matrix.results import results_json, results_reader

FILES = Path(__file__).with_name("saved")


@pytest.fixture
def spoilt(tmp_path):
    """`spoilt(change)`: a file of today after ``change``."""

    def spoilt(change) -> Path:
        value = json.loads((FILES / "schema-3.json").read_text("utf-8"))
        path = tmp_path / "results.json"
        path.write_text(json.dumps(change(value) or value), encoding="utf-8")
        return path

    return spoilt


@pytest.mark.parametrize("version", [2, 3])
def test_what_older_versions_wrote_is_read_as_of_today(version, capsys):
    value = results_reader.read(FILES / f"schema-{version}.json")
    jsonschema.validate(value, results_json.schema())
    assert value["schema"] == results_json.SCHEMA
    [cell] = value["cells"]
    assert (cell["id"], cell["outcome"]) == ("plain-good-default-py311", "pass")
    judged = [check["outcome"] for check in cell["checks"] if check["id"] == "hello-response"]
    assert judged == ["pass"]
    assert results_reader.octets(cell["evidence"]["hello"], "a", "received").startswith(
        b"HTTP/1.1 200 OK"
    )
    console.render(results_json.run_of(value))
    assert "1 pass" in capsys.readouterr().out
    assert "1 cell: 1 pass" in markdown.render(value)
    for report in (html, junit):
        assert cell["id"] in report.render(value)


def test_what_version_2_did_not_have_has_a_default():
    [cell] = results_reader.read(FILES / "schema-2.json")["cells"]
    assert cell["load"] is None
    assert cell["limits_observed"]["why_not"] == {}


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        results_reader.read(path)
    name, _, told = str(caught.value).partition(": ")
    assert name == str(path)
    assert "\n" not in told
    return told


def test_an_older_version_is_refused_with_what_to_do():
    assert refusal(FILES / "schema-1.json") == (
        f"schema 1, written by wsgi-matrix 0.1.0; wsgi-matrix {__version__} reads 2 and 3: "
        "use the version that wrote it, or run again"
    )


def test_a_newer_version_is_refused_with_what_to_do(spoilt):
    def newer(value):
        value["schema"] = "wsgi-matrix/results/4"
        value["run"]["tool_version"] = "9.1"

    assert refusal(spoilt(newer)) == (
        f"schema 4, written by wsgi-matrix 9.1; wsgi-matrix {__version__} reads 2 and 3: "
        "upgrade it, or run again"
    )


@pytest.mark.parametrize("run", [{}, None, [], {"tool_version": None}])
def test_a_newer_version_may_have_another_form(spoilt, run):
    path = spoilt(lambda _: {"schema": "wsgi-matrix/results/10", "run": run})
    assert refusal(path).startswith("schema 10; wsgi-matrix ")
    assert "upgrade" in refusal(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"schema": "wsgi-matrix/results/x"}, "schema x; wsgi-matrix"),
        ({"schema": "wsgi-matrix/cell/2"}, "not a results.json of wsgi-matrix (its schema: 'wsg"),
        ({"schema": 3}, "not a results.json of wsgi-matrix (its schema: 3)"),
        ({}, "not a results.json of wsgi-matrix (its schema: None)"),
        ([], "not a results.json of wsgi-matrix (its schema: None)"),
    ],
)
def test_what_is_no_result(spoilt, content, told):
    assert refusal(spoilt(lambda _: content or [content])).startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda value: value["run"].pop("engine"), "damaged: Object missing required field"),
        (lambda value: value["cells"][0].pop("checks"), "damaged: Object missing required field"),
        (lambda value: value["cells"][0].update(outcome="green"), "damaged: Invalid enum value"),
        (lambda value: value.update(cells={}), "damaged: Expected `array`, got `object`"),
        (
            lambda value: value["cells"][0]["evidence"]["hello"][0].update(data="ü"),
            "damaged: Invalid base64",
        ),
    ],
)
def test_what_is_damaged_is_told_with_its_place(spoilt, change, told):
    def damaged(value):
        change(value)

    assert refusal(spoilt(damaged)).startswith(told)


def test_a_file_that_is_not_there_or_no_json(tmp_path):
    assert refusal(tmp_path / "none.json") == "no such file; `wsgi-matrix run` writes it"
    (tmp_path / "x.json").write_text("{")
    assert refusal(tmp_path / "x.json").startswith("invalid JSON (")
    assert refusal(tmp_path) == "Is a directory"


def test_the_schema_is_held_to_the_version_of_today():
    for version in (1, 2):
        value = json.loads((FILES / f"schema-{version}.json").read_text("utf-8"))
        assert not jsonschema.Draft202012Validator(results_json.schema()).is_valid(value)
    value = json.loads((FILES / "schema-3.json").read_text("utf-8"))
    jsonschema.validate(value, results_json.schema())
    assert results_json.of_today(value) == value
