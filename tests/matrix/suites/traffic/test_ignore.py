"""What is left out of a comparison, and what is proposed to be."""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsgi_matrix.errors import UserError
from wsgi_matrix.http.response import Response
from wsgi_matrix.model.http_session import Ask
from wsgi_matrix.probe.agent import jsonpath
from wsgi_matrix.probe.agent.session import captured
from wsgi_matrix.suites.traffic import ignore
from wsgi_matrix.suites.traffic.propose import broad, propose, settled

ASK = Ask(name="a")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3)
    ),
    max_leaves=8,
)


def answer(body="", *fields):
    content = body if isinstance(body, str) else json.dumps(body)
    named = (
        ("Content-Type", "text/plain" if isinstance(body, str) else "application/json"),
        *fields,
    )
    return Response(
        b"HTTP/1.1 200 OK",
        tuple((name.encode(), value.encode()) for name, value in named),
        content.encode(),
    )


def left(found, *ignores):
    return ignore.apply(found, [ignore.parse(each) for each in ignores])


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a.b", [1]),
        ("$['a']['b']", [1]),
        ("$.list[*].id", [2, 3]),
        ("$.list[1].id", [3]),
        ("$..id", [9, 2, 3]),
        ("$.*", [{"b": 1}, 9, [{"id": 2}, {"id": 3}]]),
        ("$.nowhere", []),
    ],
)
def test_paths_of_json(path, found):
    value = {"a": {"b": 1}, "id": 9, "list": [{"id": 2}, {"id": 3}]}
    assert list(jsonpath.find(value, jsonpath.parse(path))) == found


@pytest.mark.parametrize("text", ["a", "$.", "$..", "$[a]", "$.a[", "$....a", "$ .a"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match=r"\$"):
        jsonpath.parse(text)


@given(JSON)
def test_a_change_changes_nothing_else(value):
    assert jsonpath.change(value, jsonpath.parse("$..id"), lambda each: each) == value


def test_each_kind_leaves_out_what_it_says_and_no_more():
    one = answer({"id": 1, "same": 2}, ("X-Id", "a"), ("Set-Cookie", "s=1; Path=/; Expires=now"))
    two = answer({"id": 9, "same": 2}, ("X-Id", "b"), ("Set-Cookie", "s=2; Path=/; Expires=then"))
    options = ("json:$.id", "header:x-id", "cookie:s")
    assert left(one, *options) == left(two, *options)
    for without in options:
        some = [each for each in options if each != without]
        assert left(one, *some) != left(two, *some), without
    other = answer({"id": 9, "same": 3}, ("X-Id", "b"), ("Set-Cookie", "s=2; Path=/; Expires=x"))
    assert left(one, *options) != left(other, *options)
    elsewhere = answer({"id": 9, "same": 2}, ("X-Id", "b"), ("Set-Cookie", "s=2; Path=/a"))
    assert left(one, *options) != left(elsewhere, *options)


def test_expressions_do_not_take_from_each_other_what_they_go_by():
    """One masks what stands before the value of the other: an empty group in a closing tag."""
    one, two = (
        answer(f"<free>{free}</free><made>{made}</made>") for free, made in ((7, 11), (7, 12))
    )
    ignores = ("regex:free>([^<]*)", "regex:/free><made>([^<]*)")
    for some in itertools.permutations(ignores):
        assert left(one, *some) == left(two, *some)
        assert b"<made>*</made>" in left(one, *some).body
    assert left(answer("abc"), "regex:a(b)", "regex:(bc)").body == b"a*"
    assert left(answer("ab"), "regex:(a)(x)?", "regex:((b))").body == b"*"


def test_an_expression_leaves_out_its_groups_or_all_that_it_matches():
    found = left(answer('<input name="ü" value="x1"> <b>x1</b>'), 'regex:name="ü" value="([^"]*)"')
    assert found.body.decode() == '<input name="ü" value="*"> <b>x1</b>'
    assert left(answer("a 12 b"), r"regex:\d+").body == b"a * b"
    assert left(answer("", ("X-At", "12")), r"regex:\d+").fields[1] == (b"X-At", b"*")


@pytest.mark.parametrize("text", ["", "x", "header:", "jso:$.a", "json:a", "regex:("])
def test_what_is_no_ignore_is_refused(text):
    with pytest.raises(UserError, match="--ignore"):
        ignore.parse(text)


PAIRS = [
    (answer("", ("X-Id", "abc1")), answer("", ("X-Id", "abd2"))),
    (answer("", ("Set-Cookie", "s=1; Path=/")), answer("", ("Set-Cookie", "s=2; Path=/"))),
    (answer({"a": {"b c": 1}, "d": [1, {"e": 2}]}), answer({"a": {"b c": 2}, "d": [1, {"e": 3}]})),
    (answer({"list": [1]}), answer({"list": [1, 2]})),
    (answer('<i value="aXb">.'), answer('<i value="aYYb">.')),
    (answer("at 12:03:04\nsame\nnumber 77"), answer("at 12:03:09\nsame\nnumber 78")),
    (answer("a (b) [c] 5\n"), answer("a (b) [c] 66\n")),
    (answer('<a id="1" x="y" at="2">'), answer('<a id="3" x="y" at="4">')),
    (answer("hello two"), answer("hello two three")),
]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_what_is_proposed_makes_the_two_the_same(one, two):
    found = propose(one, two)
    assert found
    assert settled(ASK, one, two, found)
    # As people paste it.
    assert settled(ASK, one, two, [ignore.parse(str(each)) for each in found])


def test_nothing_is_proposed_for_the_same_or_for_what_is_never_compared():
    one = answer("a", ("Date", "x"), ("ETag", '"1"'), ("Server", "a"))
    two = answer("a", ("Date", "y"), ("ETag", '"2"'), ("Server", "b"))
    assert propose(one, one) == propose(one, two) == ()


def test_lines_that_come_and_go_are_told_as_what_no_option_leaves_out():
    one, two = answer("a\nb\n"), answer("a\n")
    assert propose(one, two) == ()
    assert not settled(ASK, one, two, ())


UUIDS = ("6f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d90", "0f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d91")


def test_a_value_alone_is_left_out_by_its_shape_or_not_at_all():
    one, two = (answer(each) for each in UUIDS)
    assert settled(ASK, one, two, propose(one, two))
    assert propose(answer("apple"), answer("pear")) == ()


DATES = {
    "RFC 9110": "%a, %d %b %Y %H:%M:%S GMT",
    "RFC 850": "%A, %d-%b-%y %H:%M:%S GMT",
    "asctime": "%a %b %d %H:%M:%S %Y",
    "ISO 8601": "%Y-%m-%dT%H:%M:%S.%fZ",
    "ISO 8601 with a space": "%Y-%m-%d %H:%M:%S+00:00",
    "percent-encoded": "%Y-%m-%dT%H%%3A%M%%3A%S",
    "RFC 9110, percent-encoded": "%a%%2C%%20%d%%20%b%%20%Y%%20%H%%3A%M%%3A%S%%20GMT",
    "compact": "%Y%m%dT%H%M%SZ",
    "in English": "%B %d, %Y, %I:%M:%S %p",
    "in digits": "%d/%m/%Y %H:%M:%S",
    "of no form that is known": "%d of %b in %Y; %H h %M min %S s",
    "a time": "%H:%M:%S",
}
PAGES = {
    "a field": "<p>Made: {}</p>",
    "a link": '<a href="/list?from={}&to=x">next</a>',
    "text": "modified>{} by somebody",
    "twice": "<td>{0}</td><td>and {0}</td>",
    "behind a date": "<p>Today {} number: x{}</p>",
}
TIMES = [
    datetime(2026, 11, 27, 11, 26, 5, 1234),
    datetime(2026, 11, 27, 11, 26, 7, 99),
    datetime(2027, 1, 1, 9, 0, 1, 5),
    datetime(2027, 1, 1, 9, 0, 3, 5),
    datetime(2028, 5, 30, 23, 59, 59, 123456),
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("form", DATES)
def test_a_proposal_of_today_is_as_good_tomorrow(form, page):
    made = [answer(PAGES[page].format(time.strftime(DATES[form]), time.second)) for time in TIMES]
    found = propose(*made[:2])
    assert settled(ASK, *made[:2], found), found
    for one, two in itertools.combinations(made, 2):
        same_minute = made.index(two) == made.index(one) + 1 and made.index(one) % 2 == 0
        if same_minute or form != "of no form that is known":
            assert settled(ASK, one, two, found), found
    text = " ".join(each.where for each in found)
    assert not re.search(r"2026|27|Nov|Fri|11|26", text), text


def test_a_proposal_that_leaves_out_more_says_so():
    digests = [answer(each * 20) for each in ("ab", "cd")]
    [found] = propose(*digests)
    assert "every hexadecimal number" in broad(found)
    [found] = propose(answer("12:00:01"), answer("12:00:02"))
    assert "every date or time" in broad(found)
    [found] = propose(answer("number: x1"), answer("number: x2"))
    assert broad(found) == ""


WILD = st.text(alphabet='ab<>=" 1-é', max_size=30)


@given(WILD, WILD)
def test_a_proposal_never_leaves_out_what_is_the_same(one, two):
    """What is proposed from two answers says nothing of a third one of other lines."""
    found = propose(answer(f"start {one} end"), answer(f"start {two} end"))
    assert left(answer("other"), *map(str, found)).body == b"other"


def test_json_that_is_nested_too_deeply_is_text():
    one, two = (answer("[" * 50_000 + each + "]" * 50_000) for each in ("1", "2"))
    one, two = (
        Response(each.status_line, ((b"Content-Type", b"application/json"),), each.body)
        for each in (one, two)
    )
    assert left(one, "json:$..a") == one
    assert settled(ASK, one, one, ())
    assert not settled(ASK, one, two, ())
    assert settled(ASK, one, two, propose(one, two))
    assert captured("json", "$.a", b"HTTP/1.1 200 OK\r\n\r\n", one.body) is None


def test_json_with_half_a_surrogate_pair_is_compared_as_well():
    """RFC 8259 section 8.2: such text is JSON, and no text in UTF-8."""
    one, two = (answer({"a": "\ud800", "id": each}) for each in (1, 2))
    assert propose(one, two) == (ignore.parse("json:$.id"),)
    assert left(one, "json:$.id") == left(two, "json:$.id") != left(one)


@pytest.mark.parametrize("form", ["%m/%d/%y %H:%M:%S", "%d.%m.%y %H:%M", "%d-%m-%Y"])
def test_what_trac_says_of_a_page_holds_tomorrow(form):
    """A year of two digits, and how long ago that was, which has little of its own before it."""
    page = '<a href="/timeline" title="See timeline at {}">{} ago</a>'.format
    made = [datetime(2026, 11, 27, 17, 41, 3), datetime(2026, 11, 28, 9, 2, 59)]
    later = [datetime(2027, 1, 3, 4, 5, 6), datetime(2028, 2, 2, 2, 2, 2)]
    found = propose(
        *(
            answer(page(each.strftime(form), ago))
            for each, ago in zip(made, ("1 second", "2 seconds"), strict=True)
        )
    )
    assert not re.search(r"2[678]|1[17]|second", " ".join(map(str, found)))
    one, two = (
        answer(page(each.strftime(form), ago))
        for each, ago in zip(later, ("7 days", "1 day"), strict=True)
    )
    assert ignore.apply(one, found) == ignore.apply(two, found)
