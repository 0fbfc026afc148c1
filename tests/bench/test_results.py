"""``results.json``: its schema, and nothing lost on the way through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import results as store
from bench.model import Trial
from bench.process import ROOT
from tests.bench.helpers import results, sample, trial

SCHEMA = json.loads((ROOT / "bench/results.schema.json").read_text())
SOME = results(
    [
        sample("onegate", 80.0),
        sample("bjoern", 100.0, problems={"read": 1}),
        sample("granian", 90.0),
        sample("in-process", 900.0, p99_us=0.0),
    ],
    [trial("onegate"), trial("bjoern"), Trial(server="granian", app="raw", reason="ended")],
)


def errors(data: Any) -> list[str]:
    """What the schema says against ``data``."""
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [each.message for each in validator.iter_errors(json.loads(json.dumps(data)))]


def test_a_measurement_keeps_the_schema() -> None:
    data = store.as_json(SOME)
    assert errors(data) == []
    assert data["behind"]
    assert SCHEMA["properties"]["schema"]["const"] == store.SCHEMA


@pytest.mark.parametrize("part", ["machine", "options", "trials", "samples", "figures", "bars"])
def test_the_schema_names_every_key(part: str) -> None:
    data = json.loads(json.dumps(store.as_json(SOME)))
    each = data[part][0] if isinstance(data[part], list) else data[part]
    key = next(iter(each))
    each["surprise"] = each.pop(key)
    assert len(errors(data)) == 2  # one key that is missing, one that nobody knows


def test_read_gives_back_what_was_written(tmp_path: Path) -> None:
    store.write(SOME, tmp_path / "results.json")
    assert store.read(tmp_path / "results.json") == SOME
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("text", "message"), [(None, "cannot be read"), ("{", "cannot be read"), ("{}", "schema None")]
)
def test_what_cannot_be_read_is_said(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "results.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(store.ResultsError, match=message):
        store.read(file)


def test_no_path_of_this_machine_is_in_the_file() -> None:
    assert str(ROOT) not in json.dumps(store.as_json(SOME))
