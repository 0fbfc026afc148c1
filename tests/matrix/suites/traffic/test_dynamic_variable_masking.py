"""Values made for a run are in no expression that is proposed."""

from __future__ import annotations

from wsgi_matrix.http.response import Response
from wsgi_matrix.suites.traffic import dynamic_variable_masking, ignore
from wsgi_matrix.suites.traffic.propose import propose

VALUE = "4a9dca1e-93d4-4b4c-9b22-0e6f2d7a1c55"


def answer(stamp, value=VALUE):
    body = f'<a href="/things/{value}/edit?token={stamp}">\n'
    return Response(b"HTTP/1.1 200 OK", ((b"X-Id", value.encode()),), body.encode())


def proposed(values):
    one, two = (
        dynamic_variable_masking.masked(answer(stamp), values)
        for stamp in ("aaaabbbb1", "zzzzyyyy2")
    )
    return [dynamic_variable_masking.unmasked(each) for each in propose(one, two)]


def test_an_expression_holds_for_the_values_of_the_next_run():
    [found] = proposed([VALUE, "7", "not in it"])
    assert not any(part in found.where for part in VALUE.split("-"))
    later = [answer(stamp, "ffffffff-0000-4000-8000-123456789abc") for stamp in ("one", "two")]
    assert later[0] != later[1]
    assert ignore.apply(later[0], [found]) == ignore.apply(later[1], [found])
    other = answer("one", "other")
    assert ignore.apply(later[0], [found]) != ignore.apply(other, [found])


def test_what_is_too_short_to_be_told_is_left_alone():
    assert dynamic_variable_masking.masked(answer("x"), ["ed", "hre"]) == answer("x")
    assert proposed([])[0].where.count(VALUE[-4:]) == 1
