"""The reports are functions of the same results: they agree on every count."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import jsonschema
import pytest
from rich.console import Console
from wsgi_matrix.errors import Exit, UserError
from wsgi_matrix.model.mismatch import ConnectionExcerpt, Mismatch
from wsgi_matrix.model.outcome_semantics import counts, exit_code
from wsgi_matrix.model.results import CaseResult, Level, Outcome, Partial
from wsgi_matrix.reports import badge, console, html, junit, markdown, progress, show
from wsgi_matrix.reports.grid import make_grid
from wsgi_matrix.reports.html import payload
from wsgi_matrix.reports.registry import reports
from wsgi_matrix.results import results_json, results_reader
from wsgi_matrix.runner import events
from wsgi_matrix.suites.hello.majority_comparison import compare
from wsgi_matrix.util.atomic_write import write_whole

HELLO = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 16:00:00 GMT\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, World!\n"
)
ODD = b"[bold]\x1b[31m```|"


@pytest.fixture
def mixed(result_of, run_of):
    """Every outcome that a cell can have today, in one run."""
    results = [
        replace(result_of("flask"), ready_seconds=0.25, memory=30 * 2**20, log="it ended"),
        result_of("flask", "fds256"),
        result_of("django"),
        result_of("django", "fds256", response=HELLO.replace(b"Hello, World!", ODD)),
        result_of("pyramid", outcomes={"start": Outcome.ERROR}),
        result_of("pyramid", "fds256", outcomes={"hello-response": Outcome.DIFFER}),
        result_of("wsgi", outcomes={"burst": Outcome.XFAIL}),
    ]
    skipped = result_of("wsgi", "fds256")
    checks = tuple(replace(check, outcome=Outcome.SKIP) for check in skipped.checks)
    bare = replace(skipped, checks=checks, outcome=Outcome.SKIP, image=None, exchanges={})
    return run_of(*compare([*results, bare]))


@pytest.fixture
def value(mixed):
    return results_json.results(mixed)


class Page(HTMLParser):
    """What a page has: the summary, the squares' outcomes, where it would fetch something."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.squares, self.fetched, self.heading = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.fetched += [
            found[name] for name in ("src", "srcset", "action", "data") if name in found
        ]
        if tag == "link":
            self.fetched.append(found.get("href"))
        if "data-index" in found:
            self.squares.append(found["class"].removeprefix("square o-"))

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "h1" and not self.heading:
            self.heading = data


def rendered(run, **options):
    output = io.StringIO()
    console.render(run, Console(file=output, **{"width": 120, **options}))
    return output.getvalue()


def told(text):
    """The counts in a report's summary line."""
    line = re.search(r"(\d+) cells: (\d+ pass.*)", text)
    parts = dict(reversed(part.split(" ")) for part in line[2].strip().split(", "))
    return int(line[1]), {outcome: int(count) for outcome, count in parts.items()}


def test_all_reports_agree_on_every_count_and_on_the_exit_code(mixed):
    expected = {"pass": 3, "fail": 1, "differ": 1, "error": 1, "xfail": 1, "skip": 1}
    value = json.loads(results_json.dumps(results_json.results(mixed)))
    text, document = rendered(mixed), markdown.render(value)
    page, suites = Page(html.render(value)), ET.fromstring(junit.render(value))
    assert counts(mixed) == expected
    assert told(text) == told(document) == told(page.heading) == (8, expected)
    assert told(suites.get("name")) == (8, expected)
    assert ", ".join(f"{count} {each}" for each, count in expected.items()) in badge.render(value)
    assert value["run"]["counts"] == expected
    assert value["run"]["exit_code"] == exit_code(mixed) == Exit.FAILED
    for outcome, count in expected.items():
        assert [cell["outcome"] for cell in value["cells"]].count(outcome) == count
        squares = [
            make_grid(mixed).square(*place).split()[-1] for place in make_grid(mixed).squares
        ]
        assert squares.count(outcome) == page.squares.count(outcome) == count
        of_suites = [each.get("value") for each in suites.iterfind(".//property[@name='outcome']")]
        assert of_suites.count(outcome) == count
        for report in (text.partition("pass, or")[0], document):
            assert len(re.findall(rf"(?<=[│|]) \S {outcome}\b", report)) == count, outcome


def test_every_red_check_is_in_every_report(mixed, value):
    for report in (rendered(mixed), markdown.render(value), junit.render(value)):
        for cell in value["cells"]:
            for check in cell["checks"]:
                if check["outcome"] in ("fail", "error", "differ"):
                    assert cell["id"] in report
                    assert check["id"] in report


def test_results_json_keeps_its_schema(mixed, run_of):
    jsonschema.Draft202012Validator.check_schema(results_json.schema())
    for run in (mixed, run_of(), run_of(partial=Partial.INTERRUPTED)):
        jsonschema.validate(
            json.loads(results_json.dumps(results_json.results(run))), results_json.schema()
        )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value.update(schema="wsgi-matrix/results/4"),
        lambda value: value["run"].pop("engine"),
        lambda value: value["cells"][0].pop("framework_version"),
        lambda value: value["cells"][0].update(outcome="green"),
        lambda value: value["cells"][0].update(more=1),
        lambda value: value["cells"][0]["image"].update(id="latest"),
        lambda value: value["cells"][0]["checks"].clear(),
    ],
)
def test_the_schema_refuses_what_is_not_a_result(mixed, spoil):
    value = json.loads(results_json.dumps(results_json.results(mixed)))
    spoil(value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, results_json.schema())


@pytest.mark.parametrize(
    ("outcomes", "partial", "code"),
    [
        ([Outcome.PASS, Outcome.SKIP], False, Exit.OK),
        ([Outcome.PASS, Outcome.XFAIL], False, Exit.OK),
        ([Outcome.PASS, Outcome.FAIL, Outcome.ERROR], False, Exit.FAILED),
        ([Outcome.DIFFER], False, Exit.FAILED),
        ([Outcome.PASS, Outcome.ERROR], False, Exit.SETUP),
        ([Outcome.SKIP], False, Exit.NOTHING_SELECTED),
        ([], False, Exit.NOTHING_SELECTED),
        ([Outcome.PASS], True, Exit.INTERRUPTED),
    ],
)
def test_the_exit_code_is_a_function_of_the_outcomes(result_of, run_of, outcomes, partial, code):
    results = [replace(result_of(), outcome=outcome) for outcome in outcomes]
    assert (
        exit_code(run_of(*results, partial=Partial.INTERRUPTED if partial else Partial.NO)) is code
    )


def test_junit_counts_every_check_as_pytest_would(value):
    root = ET.fromstring(junit.render(value))
    checks = [check for cell in value["cells"] for check in cell["checks"]]
    outcomes = [check["outcome"] for check in checks]
    assert int(root.get("tests")) == len(root.findall(".//testcase")) == len(checks)
    for name, tag, counted in (
        ("failures", "failure", ("fail", "differ")),
        ("errors", "error", ("error",)),
        ("skipped", "skipped", ("skip", "xfail")),
    ):
        expected = sum(outcomes.count(outcome) for outcome in counted)
        assert expected
        assert len(root.findall(f".//{tag}")) == expected
        assert root.get(name) in (str(expected), None if tag == "skipped" else "")
        assert sum(int(suite.get(name)) for suite in root) == expected


def test_a_saved_file_makes_the_same_reports(mixed, value, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(results_json.dumps(value), encoding="utf-8")
    again = results_reader.read(path)
    assert again == value
    assert results_json.results(results_json.run_of(again)) == value
    assert rendered(results_json.run_of(again)) == rendered(mixed)
    assert all(each.render(again) == each.render(value) for each in reports())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file"),
        ("<html>", "invalid JSON"),
        ("\udcff", "invalid JSON"),
        ("[" * 100_000, "invalid JSON (nested too deeply)"),
        ("[]", "not a results.json"),
        ('{"schema": 2}', "not a results.json of wsgi-matrix (its schema: 2)"),
        ('{"schema": "wsgi-matrix/evidence/1"}', "not a results.json"),
        ('{"schema": "wsgi-matrix/results/9"}', "schema 9; wsgi-matrix "),
        (f'{{"schema": "{results_json.SCHEMA}"}}', "damaged: Object missing required field `run`"),
        (f'{{"schema": "{results_json.SCHEMA}", "run": 7}}', "damaged"),
    ],
)
def test_a_file_that_is_none_of_ours_is_one_line(tmp_path, text, said):
    path = tmp_path / "results.json"
    if text is not None:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError) as caught:
        results_reader.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_time_and_memory_are_charted_by_server(value):
    text = html.render(value)
    assert re.findall(r"<caption>(.*)</caption>", text) == [
        "Time of a cell: suite hello",
        "Time until it was ready: suite hello",
        "Memory after the last request: suite hello",
    ]
    assert "30.0 MiB" in text
    for cell in value["cells"]:
        cell["memory"] = None
    assert "<caption>Memory" not in html.render(value)


HOSTILE = "</script><script>x</script>\"'><img src=x> \x00\x1b\x08\ufffe\ud800]]>&amp;{{7*7}} `|`"


@pytest.fixture
def hostile(result_of, run_of):
    raw = HELLO + HOSTILE.encode(errors="replace") + b"\xff\xfe\xc3("
    result = result_of(outcomes={"hello-response": Outcome.FAIL}, response=raw)
    mismatch = Mismatch(expected=HOSTILE, actual=HOSTILE, variant=HOSTILE, sends=HOSTILE)
    text = {"alias": HOSTILE, "title": HOSTILE, "says": HOSTILE, "detail": HOSTILE}
    checks = tuple(replace(check, mismatches=(mismatch,), **text) for check in result.checks)
    odd = replace(result, checks=checks, log=HOSTILE, framework_version=HOSTILE)
    return json.loads(
        results_json.dumps(results_json.results(run_of(odd, notes=(HOSTILE,), where=HOSTILE)))
    )


def test_what_a_server_says_is_no_markup_of_the_page(hostile, value):
    page, plain = Page(html.render(hostile)), Page(html.render(value))
    assert page.fetched == plain.fetched == []
    assert page.tags.count("script") == plain.tags.count("script") == 2
    assert "img" not in page.tags


def test_what_a_server_says_is_well_formed_in_xml_and_nothing_is_lost(hostile):
    root = ET.fromstring(junit.render(hostile))
    shown = HOSTILE.translate(
        {0: "#x00", 27: "#x1B", 8: "#x08", 0xFFFE: "#xFFFE", 0xD800: "\\ud800"}
    )
    assert shown in root.find(".//failure").text
    assert root.find(".//system-out").text == shown
    for report in reports():
        assert report.render(hostile).encode(), report.file


def test_markdown_stays_below_the_limit_of_a_step_summary_and_says_what_it_cut(result_of, run_of):
    broken = result_of(outcomes={"hello-response": Outcome.FAIL})
    results = [
        replace(broken, cell=replace(broken.cell, limits=replace(broken.cell.limits, name=f"l{n}")))
        for n in range(100)
    ]
    text = markdown.render(results_json.results(run_of(*results)))
    assert "Cut: 40 of 100 red checks are not shown" in text
    wide = [
        replace(each, cell=replace(each.cell, app=replace(each.cell.app, name=f"{n}" * 9000)))
        for n, each in enumerate(results)
    ]
    text = markdown.render(results_json.results(run_of(*wide)))
    assert len(text.encode()) <= markdown.LARGEST
    assert re.search(r"\nCut: \d+ of \d+ octets left out; results.json has everything.\n$", text)


def test_evidence_is_shortened_until_the_page_fits_and_the_page_says_so(value, monkeypatch):
    assert "At most 4096 octets" in html.render(value)
    shell = len(html.render({**value, "cells": []}).encode())
    monkeypatch.setattr(html, "LARGEST", shell)
    assert "None, because it would not fit" in html.render(value)


def test_a_partial_run_says_so_everywhere(result_of, run_of):
    run = run_of(result_of(), partial=Partial.INTERRUPTED)
    assert "PARTIAL" in rendered(run)
    value = results_json.results(run)
    assert value["run"]["partial"] is True
    for render in (markdown.render, junit.render, html.render):
        assert "PARTIAL" in render(value)
    assert "partial" in badge.render(value)


def test_octets_of_a_server_do_not_style_the_console_or_end_a_block(mixed):
    assert "[bold]" in rendered(mixed)
    assert "\x1b" not in rendered(mixed)
    for block in re.findall(
        r"(?ms)^(`{3,})\n.*?^\1$", markdown.render(results_json.results(mixed))
    ):
        assert block


def test_colour_is_for_terminals_that_want_it(mixed, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = rendered(mixed, force_terminal=True, color_system="standard")
    assert "\x1b[32m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    plain = rendered(mixed, force_terminal=True, color_system="standard")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain)


def test_a_narrow_terminal_gets_the_grid_on_its_side(result_of, run_of):
    names = [f"limit{number}" for number in range(12)]
    run = run_of(*(result_of("flask", name) for name in names))
    text = rendered(run, width=80)
    for name in names:
        assert re.search(rf"{name} py311\s+│ ✔ pass", text), name


def test_progress_is_a_plain_line_for_each_cell_where_there_is_no_terminal(result_of):
    output = io.StringIO()
    handler = progress.Progressing(Console(file=output))
    result = result_of()
    handler(events.RunStarted((result.cell,), "processes", 2))
    handler(events.PhaseStarted("cells"))
    handler(events.CellStarted(result.cell))
    handler(events.CellDone(result))
    handler(events.PhaseDone("cells", 1.25))
    assert output.getvalue().splitlines() == [
        "1 cells, 2 in parallel, in processes",
        "[1/1] onegate-flask-default-py311 pass 0.50 s",
        "cells: 1.2 s",
    ]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "results.json"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \udcff")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def test_results_of_the_version_before_are_read(value, tmp_path):
    """It had neither requests nor why a limit was not set."""
    older = json.loads(results_json.dumps({**value, "schema": "wsgi-matrix/results/2"}))
    for cell in older["cells"]:
        for check in cell["checks"]:
            for name in ("request", "status", "recorded"):
                del check[name]
        if cell["limits_observed"]:
            del cell["limits_observed"]["why_not"]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(older), encoding="utf-8")
    found = results_reader.read(path)
    for a, b in zip(found["cells"], value["cells"], strict=True):
        assert a == b, [(k, a[k], b[k]) for k in a if a[k] != b[k]]


def test_processes_are_not_said_to_have_images(mixed, run_of):
    value, contained = (
        results_json.results(mixed),
        results_json.results(run_of(*mixed.cells, engine="docker")),
    )
    page = re.sub(r"(?s)<script.*?</script>", "", html.render(value))
    for text in (rendered(mixed), markdown.render(value), page):
        assert "sha256:aaaaaaaaaaaa" in text
        assert not re.search("(?i)image sha256|server layer", text)
    assert "Image" not in page
    text = markdown.render(contained)
    assert "image sha256:aaaaaaaaaaaa, server layer sha256:cccccccccccc" in text
    assert "Server layer" in html.render(contained)
    assert set(re.findall(r'property name="(image|source)"', junit.render(value))) == {"source"}


def test_a_comparison_is_shown_with_what_it_was_compared_with(result_of, run_of):
    one, two = result_of("a"), result_of("b", response=HELLO.replace(b"World", b"There"))
    check = CaseResult(
        id="x:same",
        level=Level.MAY,
        outcome=Outcome.DIFFER,
        evidence=("hello",),
        against=one.cell.id,
    )
    value = results_json.results(run_of(one, replace(two, checks=(*two.checks, check))))
    cells = {cell["id"]: cell for cell in value["cells"]}
    text = show.render(cells[two.cell.id], "x:same", cells)
    here, _, there = text.partition(f"== hello in {one.cell.id}, the reference")
    assert "Hello, There!" in here
    assert "Hello, World!" in there
    assert "World" not in show.render(cells[two.cell.id], "hello-response", cells)


MISMATCH = Mismatch(
    expected="a 400 response, then the connection is closed",
    actual="status 200",
    variant="plus",
    sends="a POST with Content-Length '+5'",
    connections=(
        ConnectionExcerpt(name="a", sent="b'POST'", received="b'HTTP'", end="fin"),
        ConnectionExcerpt(name="b", sent="b'GET'", received="", end="open"),
    ),
    more_connections=3,
)
LAYOUT = """\
plus: a POST with Content-Length '+5'
  expected  a 400 response, then the connection is closed
  actual    status 200
  sent      b'POST'
  received  b'HTTP', then FIN
  sent      b'GET' (connection b)
  received  nothing, the connection stayed open (connection b)
  and 3 more connections; see the evidence"""
RULE = CaseResult(
    id="framing/content-length-not-a-number",
    alias="R41",
    level=Level.MUST,
    outcome=Outcome.FAIL,
    detail="plus: status 200",
    mismatches=(MISMATCH,),
    title="Content-Length is not a number",
    says="the server MUST respond with a 400",
    cite="RFC 9112 section 6.3",
)


@pytest.fixture
def of_rule(result_of, run_of):
    """The value of a run with a cell whose only red check is that of a rule."""
    result = result_of()
    result = replace(result, outcome=Outcome.FAIL, checks=(*result.checks, RULE))
    return json.loads(results_json.dumps(results_json.results(run_of(result))))


def test_a_mismatch_stands_in_results_json_with_what_was_expected_and_what_came(of_rule):
    [found] = of_rule["cells"][0]["checks"][-1]["mismatches"]
    assert (found["expected"], found["actual"]) == (MISMATCH.expected, MISMATCH.actual)
    assert results_json.run_of(of_rule).cells[0].checks[-1] == RULE


def test_every_report_names_a_rule_by_id_and_alias_and_has_one_layout_for_a_mismatch(of_rule):
    shown = Console(file=io.StringIO(), width=200)
    console.render(results_json.run_of(of_rule), shown)
    xml = ET.fromstring(junit.render(of_rule))
    failure = xml.find(".//failure")
    texts = {
        "console": shown.file.getvalue(),
        "junit": "\n".join([*(x.get("name") for x in xml.iter("testcase")), failure.text]),
        "markdown": markdown.render(of_rule),
        "show": show.render(of_rule["cells"][0]),
        "html": zlib.decompress(
            base64.b64decode(payload.pack(of_rule, payload.Kept(octets=64)))
        ).decode(),
    }
    texts["html"] = texts["html"].replace("\\n", "\n")
    for name, text in texts.items():
        assert RULE.title in text, name
        assert RULE.id in text, name
        assert RULE.alias in text, name
        lines = [line.strip() for line in text.splitlines()]
        for line in LAYOUT.splitlines()[1:]:
            assert any(each.startswith(line.strip()) for each in lines), (name, line)
    assert failure.get("message") == RULE.detail
    assert LAYOUT in markdown.render(of_rule)


@pytest.mark.parametrize("name", [RULE.id, RULE.alias])
def test_a_check_is_shown_by_its_id_and_by_its_alias(of_rule, name):
    text = show.render(of_rule["cells"][0], name)
    assert f"fail   MUST   {RULE.id} (R41): {RULE.title}" in text
    assert "RFC 9112 section 6.3: the server MUST" in text
    assert "hello" not in text.partition("==")[0].partition("\n\n")[2]
