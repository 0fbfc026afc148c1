"""Results that are taken again: all of one comes back, and only for a cell that is the same."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import Limits
from wsgi_matrix.model.matrix_config import Settings
from wsgi_matrix.model.mismatch import ConnectionExcerpt, Mismatch
from wsgi_matrix.model.results import (
    CaseResult,
    CellResult,
    Image,
    Level,
    Load,
    Observed,
    Outcome,
)
from wsgi_matrix.model.wire import Exchange, Transcript, WireEvent
from wsgi_matrix.results import codec, cross_run_responses, results_json
from wsgi_matrix.results.cache import Store
from wsgi_matrix.suites.hello import suite as hello

OCTETS = bytes(range(256))
EXCHANGE = Exchange(request=b"q", response=OCTETS, seconds=0.1, end="fin", logged="l")
LINE = WireEvent(at=0.5, on="a", what="sent", data=OCTETS)


@pytest.fixture
def cell(plain):
    wanted = plan.Selection(apps=("good",), limits=("default",), pythons=("3.11",))
    [cell] = plan.make_cells(plain, wanted)
    return cell


@pytest.fixture
def whole(cell):
    """A result that has something in each of its fields."""
    result = CellResult(
        cell=cell,
        outcome=Outcome.FAIL,
        checks=(
            CaseResult(
                id="a",
                alias="R1",
                level=Level.SHOULD,
                outcome=Outcome.FAIL,
                detail="d",
                mismatches=(
                    Mismatch(
                        expected="e",
                        actual="a",
                        variant="v",
                        sends="w",
                        connections=(
                            ConnectionExcerpt(name="a", sent="b'1'", received="b'2'", end="fin"),
                        ),
                        more_connections=1,
                    ),
                ),
                title="t",
                says="s",
                cite="c",
                evidence=("x",),
                against="other",
                request="GET /",
                status=404,
                recorded=200,
            ),
        ),
        seconds=1.5,
        image=Image(id="sha256:1", server_layer="sha256:2", base="debian"),
        framework_version="1.2",
        observed=Observed(nofile=64, why_not={"memory": "no cgroup"}),
        exchanges={
            "x": Exchange(request=b"q", response=OCTETS, seconds=0.1, end="fin", logged="l")
        },
        transcripts={"t": Transcript(name="t", events=(LINE,))},
        ready_seconds=0.25,
        memory=2**20,
        load=Load(cores=2, average=1.5, waited=0.25),
        log="a log",
        engine_seconds=0.125,
        reused="2026-11-27T00:00:00Z",
        kept=("a folder",),
    )
    lacking = [
        each.name
        for value in (result, *result.checks)
        for each in dataclasses.fields(value)
        if getattr(value, each.name) in (None, "", (), 0, {})
    ]
    assert lacking == []
    return result


class Known:
    """An engine, as far as a key asks for it."""

    version = "1"

    def identity(self, _cell):
        return ("image", "bundle")


def key(store, cell, suite=None, settings=None):
    return store.key(Known(), cell, suite or hello.suite(), settings or Settings())


def test_all_of_a_result_comes_back(tmp_path, whole, cell):
    store = Store(tmp_path)
    store.put(whole, "key", "2026-11-26T12:00:00Z")
    found = store.find(cell, "key")
    # When it was found is another matter, and what was kept of it is of another run.
    assert found == replace(whole, reused="2026-11-26T12:00:00Z", kept=())
    assert store.find(cell, "another") is None


def test_a_result_of_another_version_is_not_taken(tmp_path, whole, cell):
    store = Store(tmp_path)
    store.put(whole, "key", "2026-11-26T12:00:00Z")
    [file] = tmp_path.rglob("*.json")
    value = json.loads(file.read_text())
    for spoiled in ({**value, "schema": "wsgi-matrix/cell/1"}, {**value, "result": {}}, [], "x"):
        file.write_text(json.dumps(spoiled))
        assert store.find(cell, "key") is None


OTHER = {str: "other", int: 7, tuple: ("other",), bool: False, type(None): 7.0, float: 7.0}


def changed(value, name):
    """``value`` with another value in one of its fields."""
    was = getattr(value, name)
    other = {**was, "other": b"x"} if isinstance(was, dict) else OTHER[type(was)]
    return replace(value, **{name: other})


@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Limits)])
def test_other_limits_are_another_cell(tmp_path, cell, name):
    other = replace(cell, limits=changed(cell.limits, name))
    assert key(Store(tmp_path), other) != key(Store(tmp_path), cell)


def test_whatever_a_server_is_started_with_is_in_the_key(tmp_path, cell):
    store = Store(tmp_path)
    names = {each.name for each in dataclasses.fields(cell.server)} - {"context", "process_path"}
    assert "reload_signal" in names
    same = [
        name
        for name in sorted(names)
        if key(store, replace(cell, server=changed(cell.server, name))) == key(store, cell)
    ]
    assert same == []
    moved = replace(cell.server, context=Path("/elsewhere"))
    assert key(store, replace(cell, server=moved)) == key(store, cell)


def test_whatever_is_sent_is_in_the_key(tmp_path, cell):
    store, suite = Store(tmp_path), hello.suite()
    judging = {"cases", "compare", "added", "sources", "skip_reason", "waits", "notes"}
    names = {each.name for each in dataclasses.fields(suite)} - judging
    same = [
        name
        for name in sorted(names)
        if key(store, cell, changed(suite, name)) == key(store, cell, suite)
    ]
    assert same == []


def test_a_result_does_not_outlive_a_change_in_what_its_suite_is_read_from(tmp_path, cell):
    store, file = Store(tmp_path), tmp_path / "contract.toml"
    file.write_text("one")
    suite = replace(hello.suite(), sources=(file,))
    first = key(store, cell, suite)
    assert key(store, cell, suite) == first
    file.write_text("two")
    assert key(store, cell, suite) != first


def test_evidence_for_another_run_comes_back_too(tmp_path, whole, run_of):
    assert whole.cell.suite == "hello"
    other = replace(whole.cell, limits=replace(whole.cell.limits, name="small"))
    cross_run_responses.write(tmp_path, run_of(whole))
    mine = run_of(replace(whole, cell=other))
    [found] = cross_run_responses.read_others(tmp_path, mine)
    assert found.cell == whole.cell
    assert found.exchanges == whole.exchanges
    assert outcome_semantics.overall(found.checks) is Outcome.SKIP  # its checks are not told


def test_a_results_json_tells_all_that_a_cell_has(whole, run_of):
    """But what servers and apps are besides their names, and a request's log."""
    run = run_of(whole)
    [again] = results_json.run_of(results_json.results(run)).cells
    named = {"cell", "exchanges", "transcripts"}
    for each in dataclasses.fields(whole):
        if each.name not in named:
            assert getattr(again, each.name) == getattr(whole, each.name), each.name
    assert again.cell.id == whole.cell.id
    assert again.cell.limits == whole.cell.limits
    assert set(again.transcripts) == {"x", "t"}
    assert results_json.results(
        results_json.run_of(results_json.results(run))
    ) == results_json.results(run)


def test_octets_that_are_not_kept_stay_counted(whole, run_of):
    long = {"x": replace(whole.exchanges["x"], response=OCTETS * 100)}
    value = results_json.results(run_of(replace(whole, exchanges=long)))
    again = results_json.results(results_json.run_of(value))
    assert again == value
    assert again["cells"][0]["evidence"]["x"][1]["octets"] == 25600


def test_what_is_written_is_what_is_read(whole):
    assert codec.convert(codec.loads(codec.dumps(whole)), CellResult) == whole
