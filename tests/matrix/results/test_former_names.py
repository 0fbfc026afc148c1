"""Results of versions before 0.2 are read by the names of today."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from wsgi_matrix.model.axes import App
from wsgi_matrix.results import former_names, results_json, results_reader


@pytest.fixture
def renamed(result_of, run_of, tmp_path):
    """`renamed((suite, app, ids), …)`: cells of that time, as they are read today."""

    def read(*cells):
        results = []
        for suite, app, ids in cells:
            result = result_of(app)
            cell = replace(result.cell, suite=suite, app=App(name=app, path=result.cell.app.path))
            checks = tuple(replace(result.checks[0], id=each) for each in ids)
            results.append(replace(result, cell=cell, checks=checks))
        value = results_json.results(run_of(*results, suites=tuple(suite for suite, _, _ in cells)))
        file = tmp_path / "results.json"
        file.write_text(json.dumps(value))
        return results_reader.read(file)

    return read


@pytest.mark.parametrize(
    ("suite", "app", "now", "app_now", "cell"),
    [
        ("hello", "flask", "hello", "flask", "onegate-flask-default-py311"),
        ("contract", "flask", "contract", "flask", "onegate-flask-default-py311-contract"),
        ("rules", "rules", "conformance", "conformance", "onegate-conformance-default-py311"),
        ("stop", "stop", "shutdown", "shutdown", "onegate-shutdown-default-py311"),
        ("stop", "reload", "shutdown", "reload", "onegate-reload-default-py311-shutdown"),
        ("slow", "idle", "slow_clients", "idle", "onegate-idle-default-py311-slow_clients"),
        ("limits", "limits", "fd_scaling", "fd_scaling", "onegate-fd_scaling-default-py311"),
    ],
)
def test_a_cell_has_the_names_of_today(renamed, suite, app, now, app_now, cell):
    value = renamed((suite, app, ("start", "limits", "R1", "stop")))
    [found] = value["cells"]
    assert (found["suite"], found["app"], found["id"]) == (now, app_now, cell)
    assert [each["id"] for each in found["checks"]] == [
        "start", "limits-applied", "R1", "clean-exit"
    ]  # fmt: skip
    assert value["run"]["suites"] == [now]
    assert results_json.run_of(value).cells[0].cell.id == cell


def test_hello_is_a_check_of_some_suites_and_an_exchange_of_the_contract(renamed):
    value = renamed(("hello", "a", ("hello",)), ("limits", "limits", ("hello",)),
                    ("contract", "a", ("hello", "hello:apps")))  # fmt: skip
    ids = [[check["id"] for check in cell["checks"]] for cell in value["cells"]]
    assert ids == [["hello-response"], ["hello-response"], ["hello", "hello:apps"]]


def test_what_a_comparison_was_made_with_is_found_by_its_name_of_today(renamed):
    value = renamed(("rules", "rules", ("start",)))
    old = json.loads(json.dumps(value))
    old["cells"][0] |= {"suite": "rules", "app": "rules", "id": "onegate-rules-default-py311"}
    old["cells"][0]["checks"][0]["against"] = "onegate-rules-default-py311"
    [check] = former_names.replaced(old)["cells"][0]["checks"]
    assert check["against"] == "onegate-conformance-default-py311"


def test_names_of_today_stay(renamed):
    value = renamed(("rules", "rules", ("start", "stop")), ("hello", "a", ("hello",)))
    assert former_names.replaced(value) == value
