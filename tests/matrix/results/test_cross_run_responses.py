"""What a run leaves on its responses for others, and what it takes of theirs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.results import cross_run_responses


@pytest.fixture
def files(tmp_path):
    """What was left, in order of its names."""
    return lambda: sorted((tmp_path / "matrix" / "evidence").glob("*"))


def ids(results):
    return [result.cell.id for result in results]


def test_a_run_leaves_one_file_and_the_same_cells_again_replace_it(
    tmp_path, result_of, run_of, files
):
    run = run_of(result_of("flask"), result_of("django"))
    path = cross_run_responses.write(tmp_path, run)
    assert files() == [path]
    assert path.name.startswith("process-flask-django-")
    assert cross_run_responses.write(tmp_path, replace(run, started="2026-11-24T00:00:00Z")) == path
    for other in (run_of(result_of("flask")), replace(run, engine="docker")):
        assert cross_run_responses.write(tmp_path, other) != path
    assert len(files()) == 3


def test_what_says_nothing_of_responses_is_not_left(tmp_path, result_of, run_of, files):
    asked = result_of()
    silent = replace(asked, exchanges={})
    no_image = replace(asked, image=None)
    of_rules = replace(asked, cell=replace(asked.cell, suite="conformance"))
    assert not cross_run_responses.comparable(of_rules)
    assert cross_run_responses.write(tmp_path, run_of(silent, no_image, of_rules)) is None
    assert files() == []
    cross_run_responses.write(tmp_path, run_of(silent, result_of("django")))
    assert ids(cross_run_responses.read_others(tmp_path, run_of(result_of("pyramid")))) == [
        "onegate-django-default-py311"
    ]


def test_only_cells_of_the_same_images_and_engine_that_a_run_has_not_itself(
    tmp_path, result_of, run_of
):
    cross_run_responses.write(tmp_path, run_of(result_of("flask"), result_of("django")))
    cross_run_responses.write(tmp_path, run_of(result_of("bottle", image="b")))
    cross_run_responses.write(tmp_path, run_of(result_of("falcon"), engine="docker"))
    mine = run_of(result_of("flask"))
    assert ids(cross_run_responses.read_others(tmp_path, mine)) == ["onegate-django-default-py311"]
    no_image = run_of(replace(result_of("wsgi"), image=None))
    assert cross_run_responses.read_others(tmp_path, no_image) == ()


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_runs_of_a_cell_the_newest_counts(tmp_path, result_of, run_of, order):
    for day in order:
        found = result_of("flask", response=b"HTTP/1.1 200 OK\r\nX-Day: %d\r\n\r\n" % day)
        # Beside another cell each time, so that neither file replaces the other.
        cross_run_responses.write(
            tmp_path,
            run_of(found, result_of(f"app{day}"), started=f"2026-11-0{day}T00:00:00Z"),
        )
    others = cross_run_responses.read_others(tmp_path, run_of(result_of("wsgi")))
    assert len(others) == 3
    [flask] = [each for each in others if each.cell.app.name == "flask"]
    assert b"X-Day: 2" in flask.exchanges["hello"].response


def test_what_others_made_of_a_cell_is_not_taken_over(tmp_path, result_of, run_of):
    red = replace(result_of(outcomes={"hello-response": Outcome.FAIL}), log="last words")
    assert red.outcome is Outcome.FAIL
    cross_run_responses.write(tmp_path, run_of(red))
    [found] = cross_run_responses.read_others(tmp_path, run_of(result_of("django")))
    assert (found.outcome, found.checks, found.log) == (Outcome.PASS, (), "")
    assert found.exchanges == red.exchanges


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: json.dumps({**json.loads(text), "schema": "wsgi-matrix/evidence/0"}),
        lambda text: json.dumps({**json.loads(text), "cells": [{}]}),
        lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "engine"}),
    ],
)
def test_a_file_that_cannot_be_read_is_passed_over(tmp_path, result_of, run_of, spoil):
    spoilt = cross_run_responses.write(tmp_path, run_of(result_of("flask")))
    cross_run_responses.write(tmp_path, run_of(result_of("django")))
    spoilt.write_text(spoil(spoilt.read_text()))
    others = cross_run_responses.read_others(tmp_path, run_of(result_of("wsgi")))
    assert ids(others) == ["onegate-django-default-py311"]


def test_without_a_run_before_there_is_nothing(tmp_path, result_of, run_of):
    assert cross_run_responses.read_others(tmp_path, run_of(result_of())) == ()
