"""The published grid: made from results, and made anew when rules or servers have changed."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.docs_pages import grid
from wsgi_matrix.model.results import CaseResult, Level, Outcome, Partial
from wsgi_matrix.results import results_json
from wsgi_matrix.suites.rules import GROUPS

from tests.matrix.helpers import ROOT

RULE = CaseResult(
    id="a/rule",
    alias="R1",
    level=Level.MUST,
    outcome=Outcome.PASS,
    detail="kept | as it is",
    title="A rule",
    says="what it says",
    cite="RFC 9112 section 1",
)


NAME = "a/rule (R1)"


@pytest.fixture
def render(run_of):
    def render(*results):
        return grid.render(
            [json.loads(results_json.dumps(results_json.results(run_of(*results))))], {}
        )

    return render


@pytest.fixture
def of_suite(result_of):
    """A made-up result of a suite with one rule."""

    def make(suite, server, **rule):
        result = result_of(suite, server=server)
        checks = (*result.checks, replace(RULE, **rule))
        return replace(result, cell=replace(result.cell, suite=suite), checks=checks)

    return make


def rows(document):
    """Rows of all tables by their first square."""
    found = re.findall(r"(?m)^\| ([^|]+) \| (.*) \|$", document)
    return {name: squares.split(" | ") for name, squares in found}


def test_a_rule_is_a_row_and_a_server_a_column(render, of_suite):
    document = render(
        of_suite("conformance", "one"),
        of_suite("conformance", "two", outcome=Outcome.FAIL, detail="no"),
    )
    assert rows(document)["rule"][2:] == ["one", "two"]
    assert rows(document)[NAME] == ["MUST", "A rule (RFC 9112 section 1)", "✔", "✘"]


def test_what_was_measured_stands_with_rules_of_time(render, of_suite):
    assert rows(render(of_suite("slow_clients", "one")))[NAME][2:] == ["✔ kept \\| as it is"]


def test_counts_are_those_of_the_cells(render, result_of):
    broken = result_of("django", "tight", outcomes={"burst": Outcome.FAIL})
    document = render(result_of("flask"), result_of("django"), broken)
    assert rows(document)["server"] == ["flask", "django"]
    assert rows(document)["onegate"] == ["✔ 1", "✔ 1 ✘ 1"]


def test_a_part_that_was_run_again_is_shown_as_it_came_then(run_of, of_suite):
    bad = of_suite("conformance", "one", outcome=Outcome.FAIL)
    runs = [
        results_json.results(run_of(result)) for result in (bad, of_suite("conformance", "one"))
    ]
    assert rows(grid.render(runs, {}))[NAME][2:] == ["✔"]
    assert rows(grid.render(runs[::-1], {}))[NAME][2:] == ["✘"]


def test_an_interrupted_run_says_so(run_of, result_of):
    value = results_json.results(run_of(result_of(), partial=Partial.INTERRUPTED))
    assert "interrupted" in grid.render([json.loads(results_json.dumps(value))], {})


def test_the_published_grid_has_every_rule_and_server_that_there_is():
    """Where this is red, `make grid` makes it anew."""
    published = set(rows((ROOT / "docs" / "results" / "grid.md").read_text(encoding="utf-8")))
    rules = [rule for rules in GROUPS.values() for rule in rules]
    # A run from before there were ids has the aliases alone.
    named = [{rule.alias, f"{rule.id} ({rule.alias})"} for rule in rules]
    servers = set(matrix_toml.load(ROOT / "matrix.toml").servers)
    assert servers - published == set()
    assert [names for names in named if not names & published] == []
    numbered = {name for name in published if re.search(r"\b[RWS][0-9]+\b", name)}
    assert numbered - set().union(*named) == set()
