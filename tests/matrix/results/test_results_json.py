"""results.json: what is written is what its schema says."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import wsgi_matrix
from wsgi_matrix.model.wire import Transcript, WireEvent
from wsgi_matrix.results import results_json

AGENT = Path(wsgi_matrix.__file__).parent / "probe" / "agent"


def reported() -> set[str]:
    """The events that the probe reports, by its sources: ``report(connection, EVENT, …)``."""
    found = set()
    for path in AGENT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("report"):
                found |= {x.value for x in node.args[1:2] if isinstance(x, ast.Constant)}
    return found


def test_every_event_of_the_probe_is_one_of_the_schema():
    assert {"connected", "sent", "received"} <= reported()
    assert reported() <= set(results_json.EVENTS)


@pytest.mark.parametrize("event", [*results_json.EVENTS, "other"])
def test_the_schema_takes_the_events_that_there_are(result_of, run_of, event):
    lines = (WireEvent(at=0.5, on="a", what=event, data=b"x"),)
    result = replace(result_of(), transcripts={"t": Transcript(name="t", events=lines)})
    value = json.loads(results_json.dumps(results_json.results(run_of(result))))
    valid = jsonschema.Draft202012Validator(results_json.schema()).is_valid(value)
    assert valid is (event != "other")


def test_nothing_may_be_missing_from_what_is_written(result_of, run_of):
    """Not even what has a default: that is for older files, which are read."""
    value = json.loads(results_json.dumps(results_json.results(run_of(result_of()))))
    validator = jsonschema.Draft202012Validator(results_json.schema())
    validator.validate(value)
    for table in (value, value["run"], value["cells"][0], value["cells"][0]["checks"][0]):
        for key in list(table):
            kept = table.pop(key)
            assert not validator.is_valid(value), key
            table[key] = kept
    assert validator.is_valid(value)
