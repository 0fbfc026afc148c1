"""The regular expressions: what they take, and that they take it in linear time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from onegate.http1 import grammar

TCHARS = set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
OCTETS = [chr(code) for code in range(256)]


def test_R9_R27_token_is_exactly_its_characters() -> None:
    assert {octet for octet in OCTETS if grammar.TOKEN.fullmatch(octet)} == TCHARS
    assert grammar.TOKEN.fullmatch("") is None


def test_R25_R28_R29_R30_value_is_exactly_its_characters() -> None:
    allowed = {"\t"} | {chr(code) for code in [*range(0x20, 0x7F), *range(0x80, 0x100)]}
    assert {octet for octet in OCTETS if grammar.FIELD_LINE.fullmatch(f"X:a{octet}b")} == allowed
    assert {octet for octet in OCTETS if grammar.VALUE.fullmatch(octet)} == allowed


def test_R27_field_name_is_exactly_its_characters() -> None:
    # Behind a colon the name has ended, and the rest is a value.
    taken = {octet for octet in OCTETS if grammar.FIELD_LINE.fullmatch(f"X{octet}Y: a")}
    assert taken == TCHARS | {":"}


def test_R11_target_is_exactly_its_characters() -> None:
    visible = {chr(code) for code in range(0x21, 0x7F)} - {"#"}
    line = "GET /{} HTTP/1.1"
    assert {each for each in OCTETS if grammar.REQUEST_LINE.fullmatch(line.format(each))} == visible


def test_R20_version_is_two_digits_and_a_dot() -> None:
    line = "GET / HTTP/{}.{}"
    for major in OCTETS:
        expected = major in "0123456789"
        assert bool(grammar.REQUEST_LINE.fullmatch(line.format(major, 1))) is expected
        assert bool(grammar.REQUEST_LINE.fullmatch(line.format(1, major))) is expected


def test_R41_length_is_digits_of_ascii() -> None:
    assert {each for each in OCTETS if grammar.CONTENT_LENGTH.fullmatch(each)} == set("0123456789")
    assert grammar.CONTENT_LENGTH.fullmatch("\u0665") is None  # a digit for str.isdigit and int()
    assert grammar.CONTENT_LENGTH.fullmatch("") is None


def test_R50_chunk_size_is_hexadecimal() -> None:
    digits = {each for each in OCTETS if grammar.CHUNK_LINE.fullmatch(each.encode("latin-1"))}
    assert digits == set("0123456789abcdefABCDEF")


def test_R48_chunk_extension_values() -> None:
    quoted = {
        each
        for each in OCTETS
        if grammar.CHUNK_LINE.fullmatch(b'5;a="' + each.encode("latin-1") + b'"')
    }
    opaque = {"\t", *map(chr, range(0x20, 0x7F)), *map(chr, range(0x80, 0x100))}
    assert quoted == opaque - {'"', "\\"}
    escaped = {
        each
        for each in OCTETS
        if grammar.CHUNK_LINE.fullmatch(b'5;a="\\' + each.encode("latin-1") + b'"')
    }
    assert escaped == opaque


def test_R72_R73_status_is_three_digits_a_space_and_a_reason() -> None:
    for good in ("200 OK", "200 ", "999 \xe4\t!"):
        assert grammar.STATUS.fullmatch(good)
    for bad in ("200", "20 OK", "2000 OK", "099 x", "200 OK\r", "200 \u20ac", " 200 OK"):
        assert grammar.STATUS.fullmatch(bad) is None, bad


# ── linear time ──────────────────────────────────────────────────────────────────────────────────
# Each attack is as long as it is told to be and does not match, so that all ways are tried.

Attack = Callable[[int], str]
_ATTACKS: list[tuple[str, re.Pattern[str], Attack]] = [
    ("method", grammar.REQUEST_LINE, lambda n: "A" * n),
    ("target", grammar.REQUEST_LINE, lambda n: "G " + "/" * n),
    ("target-spaces", grammar.REQUEST_LINE, lambda n: "G /" + " HTTP/1.1" * (n // 9)),
    ("name", grammar.FIELD_LINE, lambda n: "A" * n),
    ("ows", grammar.FIELD_LINE, lambda n: "A:" + " " * n + "\0"),
    ("ows-and-value", grammar.FIELD_LINE, lambda n: "A:" + " \t" * (n // 2) + "a \0"),
    ("value", grammar.FIELD_LINE, lambda n: "A:" + "a " * (n // 2) + "\0"),
    ("host", grammar.HOST, lambda n: "a" * n + "\\"),
    ("host-percent", grammar.HOST, lambda n: "%41" * (n // 3) + "%"),
    ("host-port", grammar.HOST, lambda n: "a:" + "1" * n + "a"),
    ("host-address", grammar.HOST, lambda n: "[" + ":" * n),
    ("host-future", grammar.HOST, lambda n: "[v" + "1" * n),
    ("host-future-dots", grammar.HOST, lambda n: "[v1." + "." * n),
    ("absolute", grammar.ABSOLUTE_FORM, lambda n: "http://" + "a" * n + "\\"),
    ("absolute-path", grammar.ABSOLUTE_FORM, lambda n: "http://a/" + "/" * n + "\n?\n"),
    ("absolute-query", grammar.ABSOLUTE_FORM, lambda n: "http://a?" + "?" * n + "\n"),
    ("authority", grammar.AUTHORITY_FORM, lambda n: "a" * n),
    ("authority-port", grammar.AUTHORITY_FORM, lambda n: "a:" + "1" * n + "a"),
    ("length", grammar.CONTENT_LENGTH, lambda n: "1" * n + "a"),
    ("status", grammar.STATUS, lambda n: "200 " + "a" * n + "\0"),
]
_CHUNK_ATTACKS: list[tuple[str, re.Pattern[bytes], Attack]] = [
    ("digits", grammar.CHUNK_LINE, lambda n: "1" * n),
    ("spaces", grammar.CHUNK_LINE, lambda n: "1" + " " * n),
    ("spaces-name", grammar.CHUNK_LINE, lambda n: "1;" + " " * n),
    ("spaces-equals", grammar.CHUNK_LINE, lambda n: "1;a" + " " * n),
    ("spaces-value", grammar.CHUNK_LINE, lambda n: "1;a=" + " " * n),
    ("names", grammar.CHUNK_LINE, lambda n: "1" + ";a" * (n // 2) + ";"),
    ("one-name", grammar.CHUNK_LINE, lambda n: "1;" + "a" * n + "\0"),
    ("values", grammar.CHUNK_LINE, lambda n: "1" + ";a=b" * (n // 4) + "\0"),
    ("bws", grammar.CHUNK_LINE, lambda n: "1" + " ; a = b" * (n // 8) + " "),
    ("quoted", grammar.CHUNK_LINE, lambda n: '1;a="' + "a" * n),
    ("escapes", grammar.CHUNK_LINE, lambda n: '1;a="' + "\\\\" * (n // 2)),
    ("escaped-quotes", grammar.CHUNK_LINE, lambda n: '1;a="' + '\\"' * (n // 2)),
    ("quotes", grammar.CHUNK_LINE, lambda n: "1" + ';a=""' * (n // 5) + '"'),
    ("bare-lf", grammar.BARE_LF, lambda n: "\r" * n),
]


def _cost(pattern: re.Pattern[bytes], octets: bytes) -> float:
    """Processor seconds of the fastest of several tries, so that other load hardly counts."""
    fastest = float("inf")
    for _ in range(5):
        start = time.process_time_ns()
        for _ in range(4):
            assert pattern.fullmatch(octets) is None
        fastest = min(fastest, (time.process_time_ns() - start) / 1e9)
    return fastest


def _is_linear(pattern: re.Pattern[bytes], attack: Attack) -> bool:
    """Sixteen times the length may cost 64 times the time; quadratic growth would be 256 times.

    Tried again with more if the clock was disturbed: what is quadratic fails every time.
    """
    for size in (500, 1_000, 2_000):
        short = max(_cost(pattern, attack(size).encode("latin-1")), 2e-6)
        if _cost(pattern, attack(16 * size).encode("latin-1")) < 64 * short:
            return True
    return False


def _as_octets(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    flags = pattern.flags & ~re.UNICODE & ~re.ASCII
    return re.compile(pattern.pattern.encode("latin-1"), flags)


@pytest.mark.parametrize(
    ("pattern", "attack"),
    [pytest.param(_as_octets(text), attack, id=name) for name, text, attack in _ATTACKS]
    + [pytest.param(octets, attack, id=f"chunk-{name}") for name, octets, attack in _CHUNK_ATTACKS],
)
def test_time_is_linear(pattern: re.Pattern[bytes], attack: Attack) -> None:
    assert _is_linear(pattern, attack)


def test_the_measure_of_linear_time_sees_what_is_not() -> None:
    assert not _is_linear(re.compile(rb"a*a*b"), lambda n: "a" * (n // 8))
