"""The comparison across cells: who is unlike the others, where, and who is right."""

from __future__ import annotations

from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites.hello.majority_comparison import compare

HEAD = b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 16:00:00 GMT\r\nServer: x\r\n\r\n"


def verdicts(results, check):
    return {
        result.cell.id: found
        for result in compare(results)
        for found in result.checks
        if found.id == check
    }


def red(results, check):
    return [cell for cell, found in verdicts(results, check).items() if found.outcome == "fail"]


def test_only_the_value_of_date_is_masked(result_of):
    one = result_of("flask", response=HEAD + b"x")
    later = result_of("django", response=HEAD.replace(b"16:00:00", b"17:11:59") + b"x")
    assert red([one, later], "identical") == []
    for other in (
        HEAD.replace(b"Date:", b"date:"),
        HEAD.replace(b"Date: ", b"Date:  "),
        HEAD.replace(b"Mon, 23 Nov 2026 16:00:00 GMT", b"today"),
        HEAD.replace(b"Server: x", b"Server: y"),
        HEAD.replace(b" OK", b" Ok"),
    ):
        third = result_of("pyramid", response=other + b"x")
        assert red([one, later, third], "identical") == ["onegate-pyramid-default-py311"], other


def test_a_date_in_the_body_is_not_masked(result_of):
    body = b"Date: Mon, 23 Nov 2026 16:00:00 GMT\r\n"
    one, two = result_of("a", response=HEAD + body), result_of("b", response=HEAD + body)
    late = result_of("c", response=HEAD + body.replace(b"16", b"17"))
    assert red([one, two, late], "identical") == ["onegate-c-default-py311"]


def test_the_order_of_fields_counts(result_of):
    first = b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n"
    second = b"HTTP/1.1 200 OK\r\nB: 2\r\nA: 1\r\n\r\n"
    results = [result_of(app, response=first) for app in "ab"] + [result_of("c", response=second)]
    assert red(results, "identical") == ["onegate-c-default-py311"]


def test_the_majority_is_the_reference_and_the_culprit_is_named_with_the_place(result_of):
    odd = result_of("django", "fds256", response=HEAD + b"Hello!")
    results = [odd, *(result_of(app, response=HEAD + b"Hello?") for app in ("flask", "pyramid"))]
    found = verdicts(results, "identical")["onegate-django-fds256-py311"]
    assert found.outcome is Outcome.FAIL
    for part in (
        "onegate-django-fds256-py311",
        "2 of 3",
        "body, octet 5",
        "b'Hello?'",
        "b'Hello!'",
    ):
        assert part in found.detail
    assert verdicts(results, "identical")["onegate-flask-default-py311"].outcome is Outcome.PASS


def test_two_halves_have_no_majority_and_the_text_says_so(result_of):
    results = [result_of("a", response=HEAD + b"1"), result_of("b", response=HEAD + b"2")]
    assert "no majority" in verdicts(results, "identical")["onegate-b-default-py311"].detail


def test_a_cell_without_a_whole_answer_is_not_identical(result_of):
    results = [result_of("a"), result_of("b"), result_of("c", error="ECONNREFUSED")]
    assert red(results, "identical") == ["onegate-c-default-py311"]


def test_one_cell_is_not_compared_with_itself(result_of):
    for check in ("identical", "same-image", "same-server", "frameworks-differ"):
        [found] = verdicts([result_of("a")], check).values()
        assert found.outcome is Outcome.SKIP


def test_servers_are_not_compared_with_each_other(result_of):
    results = [result_of("a"), result_of("b"), result_of("a", server="other", response=HEAD)]
    results.append(result_of("b", server="other", response=HEAD))
    assert red(results, "identical") == []


def test_an_image_of_its_own_is_named(result_of):
    results = [result_of(app) for app in "ab"] + [result_of("c", image="b")]
    found = verdicts(results, "same-image")["onegate-c-default-py311"]
    assert found.outcome is Outcome.FAIL
    assert "sha256:" + "a" * 64 in found.detail
    assert "sha256:" + "b" * 64 in found.detail


def test_images_may_differ_between_pythons_but_server_layers_may_not(result_of):
    results = [
        result_of(app, python=p, image=i) for app in "ab" for p, i in (("3.11", "a"), ("3.13", "b"))
    ]
    assert red(results, "same-image") == red(results, "same-server") == []
    results[0] = result_of("a", layer="d")
    assert red(results, "same-server") == ["onegate-a-default-py311"]


def test_one_framework_passed_off_as_two_is_found(result_of):
    said = b'{"framework": "flask", "version": "1"}'
    results = [result_of("flask", framework=said), result_of("django", framework=said)]
    assert len(red(results, "frameworks-differ")) == 2
    assert red([result_of("flask"), result_of("django")], "frameworks-differ") == []


def test_comparing_again_renews_the_verdicts(result_of):
    odd = result_of("c", response=HEAD)
    once = compare([result_of("a"), result_of("b"), odd])
    again = compare(once[:2])
    assert [result.outcome for result in again] == [Outcome.PASS, Outcome.PASS]
    assert len(again[0].checks) == len(once[0].checks)
