"""Each judgement, seen green and seen red, on made-up evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.results import Observed, Outcome, Stopped
from wsgi_matrix.model.wire import Burst, Exchange
from wsgi_matrix.suites import cell_checks, judge, registry
from wsgi_matrix.suites.case import REQUESTS, Evidence
from wsgi_matrix.suites.hello.suite import CASES

HELLO = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 16:00:00 GMT\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, World!\n"
)
MASKED = HELLO.replace(b"Mon, 23 Nov 2026 16:00:00 GMT", b"*")


def exchange(name, response, error=""):
    return Exchange(request=REQUESTS[name], response=response, seconds=0.1, error=error)


def framework(body):
    return HELLO.replace(b"Hello, World!\n", body).replace(b"14", b"%d" % len(body))


@pytest.fixture
def good():
    said = framework(b'{"framework": "flask", "version": "3.1.3"}')
    return Evidence(
        cell=Cell(
            server=Server(name="s", context=Path(), args=()),
            app=App(name="a", path=Path(), framework="flask"),
            limits=Limits(nofile=64, nproc=32, memory=2**27, clients=5),
            python=Python(version="3.11"),
        ),
        framework_version="3.1.3",
        observed=Observed(nofile=64, nproc=32, memory=2**27),
        exchanges={
            "hello": (exchange("hello", HELLO),) * 2,
            "framework": (exchange("framework", said),) * 2,
        },
        burst=Burst(clients=5, responses={MASKED: 5}, errors={}, seconds=0.1, together=5),
        stopped=Stopped(exit_status=0, oom_killed=False, log="", changed=()),
        zombies=0,
    )


def test_a_server_that_ended_before_it_was_told_to_has_not_stopped_in_order(good):
    early = replace(good, stopped=replace(good.stopped, early=True))
    assert outcomes(early)["clean-exit"].outcome is Outcome.FAIL
    [_, found] = judge.judge(early, [cell_checks.EXIT_BY_APP])
    assert (found.id, found.outcome) == ("clean-exit", Outcome.PASS)


def test_only_the_suite_whose_app_gives_the_signal_accepts_an_early_end(plain):
    without = {each for each in registry.types() if each not in ("contract", "traffic")}
    by_app = {
        each for each in without if cell_checks.EXIT_BY_APP in registry.build(plain, each).cases
    }
    assert by_app == {"shutdown"}


def outcomes(evidence):
    return {result.id: result for result in judge.judge(evidence, CASES)}


def test_good_evidence_passes_every_check(good):
    assert {result.outcome for result in outcomes(good).values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("response", "part"),
    [
        (HELLO.replace(b"1.1", b"1.0"), "status line"),
        (HELLO.replace(b"200 OK", b"200 Okay"), "status line"),
        (HELLO.replace(b"; charset=utf-8", b""), "Content-Type"),
        (HELLO.replace(b"utf-8", b"UTF-8"), "Content-Type"),
        (HELLO.replace(b"World!", b"World?"), "body"),
        (
            HELLO.replace(b"Content-Length", b"Content-Type: text/html\r\nContent-Length"),
            "Content-Type",
        ),
    ],
)
def test_hello_has_to_be_as_the_contract_says(good, response, part):
    exchanges = {**good.exchanges, "hello": (exchange("hello", response),) * 2}
    result = outcomes(replace(good, exchanges=exchanges))["hello-response"]
    assert result.outcome is Outcome.FAIL
    assert part in result.detail


def test_an_exchange_without_an_answer_fails_hello_and_names_the_request(good):
    broken = (exchange("hello", HELLO), exchange("hello", b"", "ECONNREFUSED"))
    result = outcomes(replace(good, exchanges={**good.exchanges, "hello": broken}))[
        "hello-response"
    ]
    assert result.outcome is Outcome.FAIL
    assert "GET /hello" in result.detail
    assert "request 2 of 2: ECONNREFUSED" in result.detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"framework": "django", "version": "3.1.3"}',
        b'{"framework": "flask", "version": "3.1.2"}',
        b'{"framework": "flask"}',
        b"[]",
        b"flask",
    ],
)
def test_framework_has_to_be_the_installed_one(good, body):
    exchanges = {**good.exchanges, "framework": (exchange("framework", framework(body)),) * 2}
    assert outcomes(replace(good, exchanges=exchanges))["framework"].outcome is Outcome.FAIL


def test_a_second_answer_that_differs_is_found(good):
    second = exchange("hello", HELLO.replace(b"Date", b"X-N: 2\r\nDate"))
    exchanges = {**good.exchanges, "hello": (good.exchanges["hello"][0], second)}
    result = outcomes(replace(good, exchanges=exchanges))["repeat"]
    assert result.outcome is Outcome.FAIL
    assert "X-N: 2" in result.detail


@pytest.mark.parametrize(
    ("answers", "errors", "part"),
    [
        ({MASKED: 4}, {"ECONNRESET": 1}, "1 x ECONNRESET"),
        ({MASKED: 4, MASKED.replace(b"200 OK", b"503 No"): 1}, {}, "503 No"),
        ({MASKED.replace(b"Date", b"X: 1\r\nDate"): 5}, {}, "unlike a single response"),
        ({MASKED: 4}, {}, "4 responses for 5 clients"),
    ],
)
def test_every_client_of_the_burst_counts(good, answers, errors, part):
    burst = replace(good.burst, responses=answers, errors=errors)
    result = outcomes(replace(good, burst=burst))["burst"]
    assert result.outcome in (Outcome.FAIL, Outcome.ERROR)
    assert part in result.detail


def test_a_server_with_many_clients_may_say_that_it_closes(good):
    closing = MASKED.replace(b"Date", b"Connection: close\r\nDate")
    burst = replace(good.burst, responses={MASKED: 2, closing: 3})
    assert outcomes(replace(good, burst=burst))["burst"].outcome is Outcome.PASS


@pytest.mark.parametrize("name", ["nofile", "nproc", "memory"])
def test_a_limit_that_was_not_applied_is_an_error_that_names_it(good, name):
    result = outcomes(replace(good, observed=replace(good.observed, **{name: 7})))["limits-applied"]
    assert result.outcome is Outcome.ERROR
    assert name in result.detail
    assert "observed 7" in result.detail


def test_a_limit_that_nobody_observed_is_an_error_unless_there_is_a_reason(good):
    unknown = replace(good.observed, memory=None)
    assert outcomes(replace(good, observed=unknown))["limits-applied"].outcome is Outcome.ERROR
    reason = replace(unknown, why_not={"memory": "no cgroup"})
    result = outcomes(replace(good, observed=reason))["limits-applied"]
    assert result.outcome is Outcome.SKIP
    assert "no cgroup" in result.detail


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"exit_status": 1}, "exit status 1"),
        ({"exit_status": None}, "exit status None"),
        ({"exit_status": 0, "forced": True}, "grace"),
        ({"oom_killed": True}, "memory"),
        ({"left": 2}, "2 processes"),
    ],
)
def test_the_server_has_to_stop_in_order(good, change, part):
    stopped = replace(good.stopped, log="last words", **change)
    result = outcomes(replace(good, stopped=stopped))["clean-exit"]
    assert result.outcome is Outcome.FAIL
    assert part in result.detail
    assert "last words" in result.detail


def test_a_changed_root_is_found_and_an_unknown_one_is_not_passed(good):
    changed = replace(good.stopped, changed=("/tmp/x",))
    result = outcomes(replace(good, stopped=changed))["unchanged"]
    assert result.outcome is Outcome.FAIL
    assert "/tmp/x" in result.detail
    unknown = replace(good.stopped, changed_unknown="no image")
    assert outcomes(replace(good, stopped=unknown))["unchanged"].outcome is Outcome.SKIP


def test_the_worst_check_is_the_outcome_of_the_cell(good):
    checks = judge.judge(good, CASES)
    assert outcome_semantics.overall(checks) is Outcome.PASS
    skipped = tuple(replace(check, outcome=Outcome.SKIP) for check in checks)
    assert outcome_semantics.overall(skipped) is Outcome.SKIP
    assert outcome_semantics.overall((*skipped[1:], checks[0])) is Outcome.PASS
    failed = replace(checks[0], outcome=Outcome.FAIL)
    assert outcome_semantics.overall((failed, *checks)) is Outcome.FAIL
