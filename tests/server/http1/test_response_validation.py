"""``onegate.http1.response_validation``: what an application may not send."""

from __future__ import annotations

import random
from typing import Any

import pytest
from onegate.http1 import response_validation
from onegate.http1.cache import Cache
from onegate.http1.response_validation import ResponseHead
from onegate.http1.response_writer import interim_response


def test_R70_coding_of_the_application_is_refused() -> None:
    for value in ("chunked", "gzip", ""):
        with pytest.raises(ValueError, match="hop-by-hop"):
            ResponseHead("200 OK", [("transfer-ENCODING", value)])


def test_R73_status_is_three_digits_and_a_reason() -> None:
    for status in (
        "banana",
        "200",
        "20 OK",
        "2000 OK",
        "200 OK\r\nX: 1",
        "200 \u20ac",
        "",
        "-20 x",
    ):
        with pytest.raises(ValueError, match="status"):
            ResponseHead(status, [])


def test_R73_interim_status_is_no_response() -> None:
    for status in ("100 Continue", "101 Switching Protocols", "103 Early Hints", "199 x"):
        with pytest.raises(ValueError, match="1xx is not"):
            ResponseHead(status, [])


@pytest.mark.parametrize("code", [code for code in [*range(0x20), 0x7F] if code != 0x09])
def test_R84_control_in_a_value_is_refused(code: int) -> None:
    for value in (f"a{chr(code)}b", chr(code), f"a{chr(code)}"):
        with pytest.raises(ValueError, match="control"):
            ResponseHead("200 OK", [("X", value)])
        with pytest.raises(ValueError, match="control"):
            interim_response(103, [("X", value)])


def test_R84_invalid_name_is_refused() -> None:
    for name in ("", "X Y", "X:", "X\r\nY", "\xe4", "X\0", " X", "X "):
        with pytest.raises(ValueError, match="name"):
            ResponseHead("200 OK", [(name, "1")])


def test_R84_reason_cannot_split() -> None:
    for octet in "\r\n\0\x0b\x7f":
        with pytest.raises(ValueError, match="status"):
            ResponseHead(f"200 a{octet}b", [])


def test_R84_what_latin1_cannot_hold_is_refused() -> None:
    # U+560A ends in the octet of LF when it is cut down to one.
    for value in ("\u560a", "\u20ac", "\ud800"):
        with pytest.raises(ValueError, match="latin-1"):
            ResponseHead("200 OK", [("X", value)])


def test_hop_by_hop_fields_are_refused() -> None:
    for name in ("Connection", "keep-alive", "TE", "Trailer", "Upgrade", "Proxy-Connection"):
        with pytest.raises(ValueError, match="hop-by-hop"):
            ResponseHead("200 OK", [(name, "x")])


def test_length_is_one_number() -> None:
    for value in ("-1", "+1", "a", "", "1 ", "1, 1", "9" * 19, "\xb2"):
        with pytest.raises(ValueError, match="Content-Length"):
            ResponseHead("200 OK", [("Content-Length", value)])
    with pytest.raises(ValueError, match="twice"):
        ResponseHead("200 OK", [("Content-Length", "1"), ("content-length", "1")])


def test_wrong_types_are_refused() -> None:
    status: Any
    for status in (200, b"200 OK", None):
        with pytest.raises(TypeError, match="status"):
            ResponseHead(status, [])
    field: Any
    for field in (["X", "1"], ("X",), ("X", "1", "2"), "XY", None, (b"X", "1"), ("X", 1)):
        with pytest.raises(TypeError):
            ResponseHead("200 OK", [field])
        with pytest.raises(TypeError):
            interim_response(103, [field])


FIELDS: list[Any] = [
    ("X-A", "1"), ("X-A", ""), ("x-a", "a\tb"), ("X-A", "\xe4\xff"), ("Set-Cookie", "a=b"),
    ("Content-Length", "3"), ("content-length", "0"), ("Date", "now"), ("Server", "mine"),
    # invalid, though their names are not
    ("X-A", "a\r\nX-B: c"), ("X-A", "\n"), ("X-A", "\r"), ("X-A", "\0"), ("X-A", "\x7f"),
    ("X-A", "\u20ac"), ("X-A", 1), ("X-A", b"1"), ("X-A",), ("X-A", "1", "2"), ["X-A", "1"],
    ("Content-Length", ""), ("Content-Length", "-1"), ("Content-Length", "\u0663"),
    ("Content-Length", "9" * 19), ("Content-Length", b"1"), ("Content-Length", 1),
    ("Set-Cookie", "\n"), ("Date", "\n"),
    # names that are not
    ("X A", "1"), ("", "1"), (1, "1"), ([], "1"), ("Connection", "close"), "XY", None,
]  # fmt: skip


def outcome(status: str, fields: list[Any]) -> tuple[object, ...]:
    """All that a head is, or what is wrong with it."""
    try:
        head = ResponseHead(status, fields)
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    flags = head.has_date, head.has_server, head.is_secret
    return head.code, head.octets, head.content_length, flags


def test_fields_that_are_taken_together_are_as_if_each_was_taken_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are, once their names are known; and the first fault is the one that is reported."""
    known: Cache[str, int] = Cache(1024)
    chance = random.Random(16)
    together = 0
    for _ in range(4000):
        fields = chance.choices(FIELDS[: chance.choice((9, len(FIELDS)))], k=chance.randrange(5))
        status = chance.choice(("200 OK", "404 \xe4\t!", "200\r\n", "103 Early Hints"))
        monkeypatch.setattr(response_validation, "NAMES", Cache(1024))
        one_by_one = outcome(status, fields)
        monkeypatch.setattr(response_validation, "NAMES", known)
        assert outcome(status, fields) == one_by_one, fields
        assert outcome(status, fields) == one_by_one, fields
        if isinstance(one_by_one[0], int):
            together += ResponseHead("200 OK", [])._take_plain("", fields)
    assert together > 500


def test_memory_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    names: Cache[str, int] = Cache(response_validation.NAMES.most)
    monkeypatch.setattr(response_validation, "NAMES", names)
    ResponseHead("200 OK", [("Set-Cookie", "a=b"), ("x" * 65, "1"), ("Y", "1")])
    assert list(names.entries) == ["Set-Cookie", "Y"]
    for number in range(3000):
        ResponseHead("200 OK", [(f"X{number}", "1")])
        assert len(names.entries) <= 1024
    assert "X2999" in names.entries


def test_memory_of_statuses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    memory: Cache[Any, Any] = Cache(response_validation._STATUSES.most)
    monkeypatch.setattr(response_validation, "_STATUSES", memory)
    for number in range(1000):
        assert ResponseHead(f"200 {number}", []).code == 200
        assert len(memory.entries) <= 256
