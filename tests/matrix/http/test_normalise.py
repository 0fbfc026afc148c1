"""Each declared rule sets aside what it says and nothing else; the rest is compared."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from wsgi_matrix.http.normalise import RULES, difference, normalise
from wsgi_matrix.model.results import CaseResult, Level, Outcome
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.suites.contract import reference_comparison
from wsgi_matrix.suites.contract.accepted_responses import Accept
from wsgi_matrix.suites.contract.contract_file import ContractExchange

ONE = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 16:00:00 GMT\r\nServer: one\r\nX-A: 1\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nHello"
)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def with_field(field):
    return PLAIN.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n")


JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": 1, "m": "x,y"}'
SAME = {
    "date": (ONE, ONE.replace(b"16:00:00", b"17:00:01")),
    "intermediary": (ONE, ONE.replace(b"Server: one", b"Via: 1.1 two")),
    "connection": (PLAIN, with_field(b"Connection: keep-alive\r\nKeep-Alive: timeout=5")),
    "framing": (
        ONE,
        ONE.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked").replace(
            b"\r\n\r\nHello", b"\r\n\r\n5\r\nHello\r\n0\r\n\r\n"
        ),
    ),
    "interim": (ONE, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ONE),
    "version": (ONE, ONE.replace(b"HTTP/1.1 200 OK", b"HTTP/1.0 200 Fine")),
    "names": (ONE, ONE.replace(b"X-A", b"x-a")),
    "order": (with_field(b"A: 1\r\nB: 2"), with_field(b"B: 2\r\nA: 1")),
    "media-type": (ONE, ONE.replace(b"text/plain; charset=utf-8", b"Text/plain;charset=UTF-8")),
    "no-content-type": (PLAIN, with_field(b"Content-Type: text/html")),
    "json": (JSON, JSON.replace(b'{"a": 1, "m": "x,y"}', b'{"m":"x,y","a":1}\n')),
    "joined": (JSON, JSON.replace(b"x,y", b"x, y")),
    "location": (with_field(b"Location: /x"), with_field(b"Location: http://localhost/x")),
    "cookie": (
        with_field(b"Set-Cookie: a=1; Path=/; HttpOnly"),
        with_field(b"Set-Cookie: a=1; httponly; path=/"),
    ),
    "allow": (with_field(b"Allow: GET, HEAD"), with_field(b"Allow: OPTIONS,HEAD\r\nAllow: GET")),
    "page": (ONE, ONE.replace(b"Hello", b"Other").replace(b"text/plain", b"text/html")),
    "validators": (with_field(b'ETag: "1"'), with_field(b'ETag: "2"')),
}


def normal(name, raw, method="GET"):
    return normalise(raw, method, joined=("m",) if name == "joined" else (), page=name == "page")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_declared_difference_is_set_aside(rule):
    one, two = SAME[rule.id]
    assert one != two
    assert difference(normal(rule.id, one), normal(rule.id, two)) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"200 OK", b"201 OK", "status: there 200, here 201"),
        (b"X-A: 1", b"X-A: 2", "field x-a: there 1, here 2"),
        (b"X-A: 1\r\n", b"", "field x-a: there 1, here (no such field)"),
        (b"X-A: 1", b"X-A: 1\r\nX-A: 1", "there 1, here 2 field lines: '1', '1'"),
        (b"utf-8", b"latin-1", "field content-type"),
        (b"Hello", b"Hullo", "content, line 1: there Hello, here Hullo"),
    ],
)
def test_everything_else_has_to_be_equal(old, new, said):
    assert old in ONE
    assert said in str(difference(normal("", ONE), normal("", ONE.replace(old, new))))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (with_field(b"Set-Cookie: a=1\r\nSet-Cookie: b=2"), with_field(b"Set-Cookie: b=2")),
        (with_field(b"Set-Cookie: a=1; Path=/"), with_field(b"Set-Cookie: a=1; Path=/x")),
        (with_field(b"Location: /x"), with_field(b"Location: /y")),
        (with_field(b"Allow: GET"), with_field(b"Allow: GET, PUT")),
        (with_field(b'ETag: "1"'), PLAIN),
        (JSON, JSON.replace(b'"a": 1', b'"a": 2')),
        (JSON, JSON.replace(b"x,y", b"x, y")),  # joined only where the contract says so
    ],
)
def test_no_rule_hides_more_than_it_says(one, two):
    assert difference(normal("", one), normal("", two)) is not None


SPECS = ContractExchange(name="x", method="GET", target="/x", accept=(Accept(status=200),))
compare = partial(
    reference_comparison.compare,
    specs={"x": SPECS},
    reference_app="wsgi",
    reference_server="onegate",
)


@pytest.fixture
def answered(result_of):
    """A cell that answered the exchange so, judged by itself already."""

    def make(app, raw, server="onegate", outcome=Outcome.PASS):
        exchange = Exchange(request=b"GET /x HTTP/1.1\r\n\r\n", response=raw, seconds=0.1)
        check = CaseResult(id="x", level=Level.MUST, outcome=outcome)
        made = result_of(app, server=server)
        return replace(made, checks=(check,), exchanges={"x": exchange})

    return make


def found(results):
    return {
        (result.cell.server.name, result.cell.app.name, check.id): check
        for result in compare(results)
        for check in result.checks
    }


def test_an_allowed_difference_is_differ_with_both_sides_octets(answered):
    other = ONE.replace(b"X-A: 1", b"X-A: 2")
    verdicts = found([answered("wsgi", ONE), answered("flask", other)])
    check = verdicts["onegate", "flask", "x:apps"]
    assert check.outcome is Outcome.DIFFER
    assert "field x-a" in check.detail
    assert check.detail.splitlines()[1:] == [
        "there (onegate-wsgi-default-py311): 1",
        "here (onegate-flask-default-py311): 2",
    ]
    assert ("onegate", "wsgi", "x:apps") not in verdicts  # the reference is not compared


def test_servers_are_compared_with_the_same_app_on_the_reference(answered):
    same, other = ONE.replace(b"one", b"two"), ONE.replace(b"X-A", b"X-B")
    verdicts = found(
        [answered("wsgi", ONE), answered("wsgi", same, "a"), answered("wsgi", other, "b")]
    )
    assert verdicts["a", "wsgi", "x:servers"].outcome is Outcome.PASS
    assert verdicts["b", "wsgi", "x:servers"].outcome is Outcome.DIFFER


def test_an_answer_that_breaks_the_contract_is_not_compared_on_either_side(answered):
    broken = answered("wsgi", ONE, outcome=Outcome.FAIL)
    verdicts = found([broken, answered("flask", ONE)])
    assert verdicts["onegate", "flask", "x:apps"].outcome is Outcome.SKIP
    verdicts = found([answered("wsgi", ONE), replace(broken, cell=answered("flask", ONE).cell)])
    assert verdicts["onegate", "flask", "x:apps"].outcome is Outcome.SKIP


def test_without_the_reference_nothing_is_claimed(answered):
    check = found([answered("flask", ONE)])["onegate", "flask", "x:apps"]
    assert check.outcome is Outcome.SKIP
    assert "wsgi is not in this run" in check.detail
