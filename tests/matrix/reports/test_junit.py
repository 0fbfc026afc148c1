"""JUnit XML as CI systems read it: suites, cases, and what is said of each."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from wsgi_matrix.model.results import Outcome, Partial
from wsgi_matrix.reports import junit
from wsgi_matrix.results import results_json


def report(run) -> ET.Element:
    text = junit.render(results_json.results(run))
    assert text.startswith("<?xml ")
    assert text.endswith("</testsuites>\n")
    return ET.fromstring(text)


@pytest.fixture
def suite(result_of, run_of):
    """`suite(outcomes={…}, log=…)` → the only suite of a report."""

    def make(engine="process", changes=None, **values) -> ET.Element:
        result = replace(result_of(**values), **(changes or {}))
        [found] = report(run_of(result, engine=engine))
        return found

    return make


def cases(suite: ET.Element) -> dict[str, ET.Element]:
    return {case.get("name"): case for case in suite.iterfind("testcase")}


@pytest.fixture
def red_check(result_of):
    """The check ``hello`` of a cell where it failed."""
    checks = result_of(outcomes={"hello-response": Outcome.FAIL}).checks
    return next(check for check in checks if check.id == "hello-response")


def properties(element: ET.Element) -> dict[str, str]:
    return {each.get("name"): each.get("value") for each in element.iterfind("properties/property")}


def test_a_suite_is_a_cell_and_a_case_a_check(result_of, run_of):
    run = run_of(result_of("flask"), result_of("django", "fds256"), seconds=12.3456)
    root = report(run)
    assert root.get("name") == "wsgi-matrix 2 cells: 2 pass"
    assert root.get("time") == "12.346"
    for suite, result in zip(root, run.cells, strict=True):
        assert (suite.tag, suite.get("name")) == ("testsuite", result.cell.id)
        assert suite.get("timestamp") == "2026-11-23T16:00:00"  # without a zone: ISO 8601 of xunit2
        assert list(cases(suite)) == [check.id for check in result.checks]
        assert {case.get("classname") for case in cases(suite).values()} == {result.cell.id}


def test_the_time_of_a_cell_is_that_of_its_first_case_alone(suite):
    found = suite()
    times = [case.get("time") for case in found.iterfind("testcase")]
    assert found.get("time") == times[0] == "0.500"
    assert set(times[1:]) == {"0.000"}


@pytest.mark.parametrize(
    ("outcome", "tag", "counted"),
    [
        (Outcome.FAIL, "failure", "failures"),
        (Outcome.DIFFER, "failure", "failures"),
        (Outcome.ERROR, "error", "errors"),
        (Outcome.XFAIL, "skipped", "skipped"),
        (Outcome.SKIP, "skipped", "skipped"),
    ],
)
def test_each_outcome_has_its_element_and_is_counted(suite, outcome, tag, counted):
    found = suite(outcomes={"hello-response": outcome})
    [element] = cases(found)["hello-response"]
    assert (element.tag, element.get("type")) == (tag, outcome.value)
    assert element.get("message") == "because"
    for name in ("failures", "errors", "skipped"):
        assert found.get(name) == ("1" if name == counted else "0")
    passed = [case for name, case in cases(found).items() if name != "hello-response"]
    assert all(len(case) == 0 for case in passed)
    assert found.get("tests") == str(len(passed) + 1)


def test_totals_are_those_of_all_suites_and_the_root_has_no_skipped(result_of, run_of):
    root = report(
        run_of(
            result_of("flask", outcomes={"hello-response": Outcome.FAIL, "burst": Outcome.SKIP}),
            result_of(
                "django", outcomes={"hello-response": Outcome.ERROR, "clean-exit": Outcome.DIFFER}
            ),
        )
    )
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("2", "1", None)
    assert int(root.get("tests")) == sum(int(suite.get("tests")) for suite in root)


def test_what_is_said_is_the_rule_its_citation_and_the_detail(suite, red_check):
    check = replace(
        red_check,
        says="GET is answered",
        cite="RFC 9110 section 9.3.1",
        detail="expected 200\ngot 404",
    )
    [element] = cases(suite(changes={"checks": (check,)}))["hello-response"]
    assert element.get("message") == "expected 200"
    assert element.text == ("MUST GET is answered (RFC 9110 section 9.3.1)\nexpected 200\ngot 404")
    [element] = cases(suite(changes={"checks": (replace(check, cite=""),)}))["hello-response"]
    assert element.text.startswith("MUST GET is answered\n")


@pytest.mark.parametrize(
    ("says", "detail", "message", "text"),
    [
        ("", "why", "why", "why"),
        ("rule", "", "rule", "MUST rule"),
        ("", "", "fail", ""),
    ],
)
def test_a_check_that_says_little_has_a_message_all_the_same(
    suite, red_check, says, detail, message, text
):
    check = replace(red_check, says=says, detail=detail, cite="")
    [element] = cases(suite(changes={"checks": (check,)}))[check.id]
    assert (element.get("message"), element.text or "") == (message, text)


def test_the_axes_of_a_cell_are_properties_of_its_suite(suite):
    found = properties(suite(outcomes={"hello-response": Outcome.DIFFER}))
    assert found.pop("source") == "sha256:" + "a" * 64
    assert found == {
        "outcome": "differ",
        "suite": "hello",
        "server": "onegate",
        "app": "flask",
        "limits": "default",
        "python": "3.11",
        "responses": "",
        "warning": "",
    }
    assert "image" in properties(suite(engine="docker"))
    assert properties(suite(changes={"image": None}))["source"] == ""


def test_a_status_stands_with_its_request_and_so_does_the_recorded_one(suite, result_of):
    check = replace(result_of().checks[1], request="GET /", status=404)
    one = replace(check, id="one")
    two = replace(check, id="two", recorded=200)
    found = suite(changes={"checks": (check, one, two)})
    assert properties(cases(found)["one"]) == {"status": "404"}
    assert properties(cases(found)["two"]) == {"status": "404", "recorded": "200"}
    assert properties(cases(suite())["hello-response"]) == {}
    assert properties(found)["responses"] == "3 requests: 3 × 404"


def test_a_log_is_the_output_of_a_suite(suite):
    assert suite().find("system-out") is None
    assert suite(changes={"log": "one\ntwo"}).find("system-out").text == "one\ntwo"


@pytest.mark.parametrize(
    ("char", "shown"),
    [("\x00", "#x00"), ("\x1b", "#x1B"), ("\r", "#x0D"), ("\x7f", "#x7F"), ("\ufffe", "#xFFFE")],
)
def test_characters_that_xml_has_not_are_named(suite, char, shown):
    found = suite(changes={"log": f"a{char}b\t\n€\U0001f600"})
    assert found.find("system-out").text == f"a{shown}b\t\n€\U0001f600"


def test_a_partial_run_is_named_as_such(result_of, run_of):
    root = report(run_of(result_of(), partial=Partial.INTERRUPTED))
    assert root.get("name").startswith("wsgi-matrix PARTIAL (")
