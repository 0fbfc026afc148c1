"""The contract: what its file becomes, which answers it accepts, and which it does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.errors import ConfigError
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.suites import registry
from wsgi_matrix.suites.case import Case
from wsgi_matrix.suites.contract.accepted_responses import fault
from wsgi_matrix.suites.contract.contract_file import load
from wsgi_matrix.suites.contract.suite import judge as judge_spec
from wsgi_matrix.suites.judge import judge as judge_cases

from tests.matrix.helpers import ROOT

GOOD = """
[[endpoint]]
path = "/echo"
says = "what arrived"
methods = ["GET", "POST"]
[[endpoint.exchange]]
name = "get"
target = "/echo?a=1"
fields = ["X-A: 1"]
joined = ["many"]
accept = [
    { status = 200, type = "application/json", json = { many = "a,b" }, fields = { x-b = ["2"] } },
    { status = 206, pattern = 300 },
]
[[endpoint.exchange]]
name = "post"
method = "POST"
body = "in two"
chunked = true
accept = [{ status = 500, without = ["secret"] }]
"""
JSON = b"HTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
GREEN = (Outcome.PASS, "")
RIGHT = JSON + b'{"many":"a, b"}'


@pytest.fixture
def specs(tmp_path):
    file = tmp_path / "contract.toml"
    file.write_text(GOOD)
    return {each.name: each for endpoint in load(file) for each in endpoint.exchanges}


def judge(spec, response, error=""):
    exchange = Exchange(request=spec.request, response=response, seconds=0.0, error=error)
    return fault(exchange, spec.method, spec.accept, spec.joined)


def test_every_get_is_sent_as_head_too_and_every_path_asked_with_options(specs):
    assert list(specs) == ["get", "get-head", "post", "echo-options"]
    assert specs["get-head"].request == (
        b"HEAD /echo?a=1 HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\nConnection: close\r\n\r\n"
    )
    assert specs["echo-options"].request.startswith(b"OPTIONS /echo HTTP/1.1\r\n")


def test_bodies_are_framed(specs):
    assert specs["post"].request == (
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nin \r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    whole = replace(specs["post"], chunked=False).request
    assert whole.endswith(b"Content-Length: 6\r\n\r\nin two")


def test_what_is_accepted_is_accepted_in_each_form(specs):
    assert judge(specs["get"], RIGHT) == ""
    octets = (bytes(range(256)) * 2)[:300]
    partial = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 300\r\n\r\n" + octets
    assert judge(specs["get"], partial) == ""
    assert "SHA-256" in judge(specs["get"], partial[:-1] + b"x")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"200 OK", b"404 No", "expected status 200, got 404"),
        (b"application/json", b"text/plain", "Content-Type"),
        (b"X-B: 2", b"X-B: 3", "expected x-b ('2',)"),
        (b"X-B: 2\r\n", b"", "expected x-b ('2',), got []"),
        (b"a, b", b"b, a", "many"),
        (b'{"many', b'["many', "expected JSON"),
    ],
)
def test_an_answer_that_is_not_is_told_with_its_octets(specs, old, new, said):
    assert old in RIGHT
    found = judge(specs["get"], RIGHT.replace(old, new))
    assert said in found
    assert found.startswith("GET /echo?a=1 HTTP/1.1: ")
    assert "got b'HTTP/1.1" in found


def test_an_answer_that_is_not_whole_is_never_accepted(specs):
    assert "octets after the end" in judge(specs["get"], RIGHT, "3 octets after the end")


def test_nothing_of_the_error_may_be_told(specs):
    page = b"HTTP/1.1 500 No\r\nContent-Length: 8\r\n\r\n<secret>"
    assert "without details of the error" in judge(specs["post"], page)
    assert judge(specs["post"], page.replace(b"secret", b"nothin")) == ""


def test_options_has_to_name_the_methods(specs):
    answer = b"HTTP/1.1 204 No Content\r\nAllow: GET,HEAD\r\nAllow: POST\r\n\r\n"
    assert judge(specs["echo-options"], answer) == ""
    assert "Allow" in judge(specs["echo-options"], answer.replace(b"POST", b"PUT"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("methods", "method", 'did you mean "methods"'),
        ('name = "post"', 'name = "get"', "two exchanges"),
        ("chunked = true", "chunked = 1", "true or false"),
        ("without", "witout", "witout"),
        ("status = 500, ", "", "status"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path, old, new, said):
    assert old in GOOD
    file = tmp_path / "contract.toml"
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError, match=r"contract\.toml") as caught:
        load(file)
    assert said in str(caught.value)


def test_a_suite_without_its_file_is_an_error(plain):
    with pytest.raises(ConfigError, match=r"suites\.contract\.contract: no file is set"):
        registry.build(plain, "contract")


def test_the_suite_sends_all_of_it_and_prints_what_is_set_aside():
    matrix = config.load(ROOT / "matrix.toml")
    suite = registry.build(matrix, "contract")
    assert set(suite.requests) < {case.id for case in suite.cases}
    assert any("date" in note for note in suite.notes)
    assert not suite.burst


def test_a_defect_of_one_case_leaves_the_others_their_verdicts(result_of):
    def breaks(evidence):
        raise ValueError("ours")

    cases = (Case(id="bad", says="", judge=breaks), Case(id="ok", says="", judge=lambda _: GREEN))
    start, bad, good = judge_cases(None, cases)
    assert (start.outcome, bad.outcome, good.outcome) == (
        Outcome.PASS, Outcome.ERROR, Outcome.PASS,
    )  # fmt: skip
    assert "ValueError: ours" in bad.detail


def test_what_may_be_otherwise_is_differ_and_not_fail(tmp_path):
    file = tmp_path / "contract.toml"
    for level, red in (("MUST", Outcome.FAIL), ("SHOULD", Outcome.FAIL), ("MAY", Outcome.DIFFER)):
        file.write_text(GOOD.replace('name = "get"', f'name = "get"\nlevel = "{level}"'))
        spec = load(file)[0].exchanges[0]
        for response, outcome in ((RIGHT, Outcome.PASS), (RIGHT.replace(b"200", b"404"), red)):
            exchange = Exchange(request=spec.request, response=response, seconds=0.0)
            evidence = SimpleNamespace(exchanges={"get": (exchange,)})
            assert judge_spec(spec, evidence)[0] is outcome
