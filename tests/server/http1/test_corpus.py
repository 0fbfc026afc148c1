"""The corpus: octets in NAME.http, what they mean beside them in NAME.json.

    valid/    {"about", "rules", "limits"?, "requests": [{…}]}
    invalid/  the same with "status" and "reason"; "requests" are the complete ones before the error

Names begin with the RFC and the section. A request leaves out what is ordinary: GET, "/", HTTP/1.1,
"Host: a" alone, no content. Text stands for octets as latin-1. What is called "unfinished" ends in
the middle, and a request that is "whole": false was begun and not completed. "limits" are those of
``MessageLimits``, smaller to keep files small.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from onegate.http1 import HeadParser, MessageLimits

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

HERE = Path(__file__).parent
VALID = sorted((HERE / "valid").glob("*.http"))
INVALID = sorted((HERE / "invalid").glob("*.http"))
LAST = Message(target="/b", fields=(("host", "b"),), authority="b")
RANDOM_SPLITS = 20


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


class Case:
    """One file and its expectation."""

    def __init__(self, path: Path) -> None:
        self.octets = path.read_bytes()
        self.unfinished = "unfinished" in path.stem
        told: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
        self.about: str = told.pop("about")
        self.rules: list[str] = told.pop("rules")
        self.limits = MessageLimits(**told.pop("limits", {}))
        messages = tuple(_expected(each) for each in told.pop("requests"))
        error = (told.pop("status"), told.pop("reason")) if "status" in told else None
        self.reading = Reading(messages=messages, error=error)
        assert not told, f"{path.name}: unknown keys {sorted(told)}"

    def read(self, pieces: list[bytes]) -> Reading:
        reading = read(pieces, self.limits)
        if reading.error:
            return Reading(messages=reading.whole, error=reading.error)
        return reading


def _expected(told: dict[str, Any]) -> Message:
    values = dict(told)
    if "fields" in values:
        values["fields"] = tuple((name, value) for name, value in values["fields"])
    if "content" in values:
        values["content"] = values["content"].encode("latin-1")
    return Message(**values)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


every_file = pytest.mark.parametrize("case", VALID + INVALID, ids=name_of, indirect=True)


def test_there_is_enough_and_each_file_has_its_expectation() -> None:
    assert len(VALID) >= 100
    assert len(INVALID) >= 150
    for folder in ("valid", "invalid"):
        octets = {path.stem for path in (HERE / folder).glob("*.http")}
        assert octets == {path.stem for path in (HERE / folder).glob("*.json")}
    assert all(Case(path).reading.error is None for path in VALID)
    assert all(Case(path).reading.error is not None for path in INVALID)


def test_no_two_files_are_the_same() -> None:
    seen: dict[tuple[bytes, MessageLimits], str] = {}
    for path in VALID + INVALID:
        case = Case(path)
        key = case.octets, case.limits
        assert key not in seen, f"{path.name} repeats {seen[key]}"
        seen[key] = path.name


@every_file
def test_whole(case: Case) -> None:
    assert case.read([case.octets]) == case.reading


@every_file
def test_byte_by_byte(case: Case) -> None:
    assert case.read(one_by_one(case.octets)) == case.reading


@every_file
def test_in_random_splits(case: Case) -> None:
    for seed in range(RANDOM_SPLITS):
        assert case.read(at_random(case.octets, seed)) == case.reading, f"seed {seed}"


@every_file
def test_cut_in_two_at_every_place(case: Case) -> None:
    if len(case.octets) > 1000:
        return  # the random splits do
    for pieces in all_in_two(case.octets):
        assert case.read(pieces) == case.reading, f"cut at {len(pieces[0])}"


@every_file
def test_with_bytes_behind(case: Case) -> None:
    expected = case.reading
    if not expected.error:
        if case.unfinished:
            return  # what is not complete would take them as its own
        expected = Reading(messages=(*expected.messages, LAST))
    octets = case.octets + BEHIND
    assert case.read([octets]) == expected
    assert case.read([case.octets, BEHIND]) == expected
    assert case.read(one_by_one(octets)) == expected
    for seed in range(RANDOM_SPLITS):
        assert case.read(at_random(octets, seed)) == expected, f"seed {seed}"


@pytest.mark.parametrize("limits", sorted({Case(path).limits for path in VALID + INVALID}, key=str))
def test_what_was_seen_before_is_read_the_same(limits: MessageLimits) -> None:
    """Lines and blocks that are remembered mean what they meant, in whatever order they come."""
    cases = [case for case in map(Case, VALID + INVALID) if case.limits == limits]
    parser = HeadParser(limits, key_of)
    for _ in range(4):
        for case in cases:
            reading = read([case.octets], limits, parser)
            if reading.error:
                reading = Reading(messages=reading.whole, error=reading.error)
            assert reading == case.reading, case.about


@pytest.mark.parametrize("name", ["Cookie", "Authorization", "Proxy-Authorization"])
def test_secrets_are_not_remembered(name: str) -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for _ in range(4):
        read([f"GET / HTTP/1.1\r\nHost: a\r\n{name}: hush\r\n\r\n".encode()], parser=parser)
        read([b"GET /?hush HTTP/1.1\r\nHost: a\r\n\r\n"], parser=parser)
    remembered = [*parser._blocks.items(), *parser._heads.items()]
    kept = repr([(key, head.method, head.fields) for key, head in remembered])
    assert "hush" not in kept + repr(parser._remembered)
    assert "Host: a" in repr(parser._remembered)


def test_the_memory_is_bounded() -> None:
    parser = HeadParser(MessageLimits(), key_of)
    for number in range(5000):
        for _ in range(2):
            read([f"GET / HTTP/1.1\r\nHost: a\r\nX: {number}\r\n\r\n".encode()], parser=parser)
            read([f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode()], parser=parser)
    assert len(parser._remembered) <= 1024
    assert len(parser._blocks) <= 256
    assert 0 < len(parser._heads) <= 256
    assert len(parser._seen_once) <= 1024


def test_what_is_remembered_is_not_what_the_owner_changes() -> None:
    """A head's fields become an environ, to which the application adds."""
    parser = HeadParser(MessageLimits(), key_of)
    octets = b"GET / HTTP/1.1\r\nHost: a\r\nX: 1"
    for _ in range(4):
        head = parser.parse(octets)
        assert head.fields == {"host": "a", "x": "1"}
        head.fields["added"] = "by the application"
        del head.fields["x"]
