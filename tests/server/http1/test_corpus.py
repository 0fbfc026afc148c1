"""Every case of the corpus is read as it says, in whatever pieces its octets come."""

from __future__ import annotations

from operator import attrgetter

import pytest
from onegate.http1 import HeadParser, MessageLimits

from tests.server.http1.cases import CASES, Case
from tests.server.http1.readers import (
    BEHIND,
    Message,
    Reading,
    all_in_two,
    at_random,
    key_of,
    one_by_one,
    read,
)

LAST = Message(target="/b", fields=(("host", "b"),), authority="b")
RANDOM_SPLITS = 20

every_case = pytest.mark.parametrize("case", CASES, ids=attrgetter("id"))


def read_case(case: Case, pieces: list[bytes], parser: HeadParser | None = None) -> Reading:
    """What is read of ``pieces``. How far a request before an error came depends on the pieces."""
    reading = read(pieces, case.limits, parser)
    return Reading(messages=reading.whole, error=reading.error) if reading.error else reading


def test_there_are_enough() -> None:
    assert sum(case.valid for case in CASES) >= 200
    assert sum(not case.valid for case in CASES) >= 450


def test_no_two_cases_are_the_same() -> None:
    seen: dict[tuple[bytes, MessageLimits], str] = {}
    for case in CASES:
        key = case.octets, case.limits
        assert key not in seen, f"{case.id} repeats {seen[key]}"
        seen[key] = case.id


@every_case
def test_whole(case: Case) -> None:
    assert read_case(case, [case.octets]) == case.reading


@every_case
def test_byte_by_byte(case: Case) -> None:
    assert read_case(case, one_by_one(case.octets)) == case.reading


@every_case
def test_in_random_splits(case: Case) -> None:
    for seed in range(RANDOM_SPLITS):
        assert read_case(case, at_random(case.octets, seed)) == case.reading, f"seed {seed}"


@every_case
def test_cut_in_two_at_every_place(case: Case) -> None:
    if len(case.octets) > 1000:
        return  # the random splits do
    for pieces in all_in_two(case.octets):
        assert read_case(case, pieces) == case.reading, f"cut at {len(pieces[0])}"


@every_case
def test_with_bytes_behind(case: Case) -> None:
    expected = case.reading
    if not expected.error:
        if case.incomplete:
            return  # what is not complete would take them as its own
        expected = Reading(messages=(*expected.messages, LAST))
    octets = case.octets + BEHIND
    assert read_case(case, [octets]) == expected
    assert read_case(case, [case.octets, BEHIND]) == expected
    assert read_case(case, one_by_one(octets)) == expected
    for seed in range(RANDOM_SPLITS):
        assert read_case(case, at_random(octets, seed)) == expected, f"seed {seed}"


@pytest.mark.parametrize("limits", sorted({case.limits for case in CASES}, key=str))
def test_what_was_seen_before_is_read_the_same(limits: MessageLimits) -> None:
    """Names and heads that are remembered mean what they meant, in whatever order they come."""
    cases = [case for case in CASES if case.limits == limits]
    parser = HeadParser(limits, key_of)
    for _ in range(4):
        for case in cases:
            assert read_case(case, [case.octets], parser) == case.reading, case.id


@pytest.mark.parametrize("name", ["Cookie", "Authorization", "Proxy-Authorization"])
def test_secrets_are_not_remembered(name: str) -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for _ in range(4):
        read([f"GET / HTTP/1.1\r\nHost: a\r\n{name}: hush\r\n\r\n".encode()], parser=parser)
        read([b"GET /?hush HTTP/1.1\r\nHost: a\r\n\r\n"], parser=parser)
    remembered = parser._cache.heads.entries.items()
    kept = repr([(key, head.method, head.fields) for key, head in remembered])
    assert "hush" not in kept + repr(parser._cache.keys.entries)
    assert f"{name}:" in parser._cache.keys.entries


def test_the_memory_is_bounded() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for number in range(5000):
        for _ in range(3):
            read([f"GET / HTTP/1.1\r\nHost: a\r\nX{number}: 1\r\n\r\n".encode()], parser=parser)
            read([f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode()], parser=parser)
    assert 0 < len(parser._cache.keys.entries) <= 1024
    assert 0 < len(parser._cache.heads.entries) <= 256


def test_what_is_remembered_is_not_what_the_owner_changes() -> None:
    """A head's fields become an environ, to which the application adds."""
    parser = HeadParser(MessageLimits(), key_of)
    octets = b"GET / HTTP/1.1\r\nHost: a\r\nX: 1"
    for _ in range(4):
        head = parser.parse(octets)
        assert head.fields == {"host": "a", "x": "1"}
        head.fields["added"] = "by the application"
        del head.fields["x"]
