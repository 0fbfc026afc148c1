"""``onegate.config.types``: text and TOML in, TOML out."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onegate.config.types import (
    Choice,
    FieldValue,
    Flag,
    Integer,
    Kind,
    Mode,
    Pairs,
    Seconds,
    Size,
    Strings,
    UrlPath,
    quote,
    table,
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind(), "", ""),
        (Kind(), "a b", "a b"),
        (Integer(0), "0", 0),
        (Integer(1), "007", 7),
        (Integer(3), "10", 10),
        (Seconds(), "1", 1.0),
        (Seconds(), "2.5", 2.5),
        (Seconds(zero=True), "0", 0.0),
        (Size(), "0", 0),
        (Size(), "65536", 65536),
        (Size(), "64k", 65536),
        (Size(), "64K", 65536),
        (Size(), "2m", 1 << 21),
        (Size(), "1G", 1 << 30),
        (Mode(), "027", 0o27),
        (Mode(), "0o660", 0o660),
        (Mode(), "0", 0),
        (Flag(), "yes", True),
        (Flag(), "TRUE", True),
        (Flag(), "off", False),
        (Flag(), "0", False),
        (Choice("info", "debug"), "DEBUG", "debug"),
        (Pairs(), "A=b=c", ("A", "b=c")),
        (Pairs(), "A=", ("A", "")),
        (UrlPath(), "", ""),
        (UrlPath(), "/größe/%C3%9F", "/größe/%C3%9F"),
        (FieldValue(), "", ""),
        (FieldValue(), " a (é)\t", "a (é)"),
    ],
)
def test_parse(kind: Kind, text: str, value: object) -> None:
    assert kind.parse(text) == value
    assert type(kind.parse(text)) is type(value)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (Kind(), ["a\0b"]),
        (Integer(1), ["0", "-1", "+1", "1.0", "", "one", "²", "٣", "1_0", " 1", "1\n", "9" * 19]),
        (Seconds(), ["", "0", "0.0", "-1", "nan", "inf", "1e3", "soon", "1s", ".5", "1.", "٣"]),
        (Seconds(zero=True), ["-1", "-0"]),
        (Size(zero=False), ["0", "0k", "000"]),
        (Size(), ["", "k", "-1", "+1", "1.5k", "1kb", "1t", "1 k", "٣", "1_0", "0x9", "1\n"]),
        (Mode(), ["", "8", "-1", "00000", "rw", "0x7", "٣"]),
        (Flag(), ["", "2", "ja", "tru"]),
        (Choice("info"), ["", "inf", "infos"]),
        (Pairs(), ["", "A", "=b", "A=\0"]),
        (UrlPath(), ["app", "/a?b", "/a#b", "/a\0", "http://a/"]),
        (FieldValue(), ["a\r\nb", "a\nX: y", "\0", "\x7f", "€"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Kind) else "",
)
def test_not_parsed(kind: Kind, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError):  # noqa: PT011 - kinds give no text on purpose
            pytest.fail(f"{text!r} was read as {kind.parse(text)!r}")
        assert kind.expects


@pytest.mark.parametrize(
    ("kind", "toml", "value"),
    [
        (Kind(), '"a"', "a"),
        (Integer(1), "4", 4),
        (Seconds(), "30", 30.0),
        (Seconds(), "2.5", 2.5),
        (Size(), "4096", 4096),
        (Size(), '"4k"', 4096),
        (Mode(), '"027"', 0o27),
        (Flag(), "true", True),
        (Strings(), '["a", "b"]', ("a", "b")),
        (Strings(), '"a"', ("a",)),
        (Pairs(), '{ A = "b", C = "" }', (("A", "b"), ("C", ""))),
    ],
)
def test_from_toml(kind: Kind, toml: str, value: object) -> None:
    assert kind.from_toml(tomllib.loads(f"x = {toml}")["x"]) == value


@pytest.mark.parametrize(
    ("kind", "tomls"),
    [
        (Kind(), ["1", "true", "['a']", "1979-05-27", "'''a\\u0000b'''.x"]),
        (Integer(1), ["0", "true", "1.0", "'1'", "[1]"]),
        (Seconds(), ["0", "true", "'1'", "nan", "inf", "-1", "1e9"]),
        (Size(), ["-1", "true", "1.5", "'1t'"]),
        (Size(zero=False), ["0", "'0'"]),
        (Mode(), ["27", "0o27", "true", "'9'"]),
        (Flag(), ["1", "'true'", "0"]),
        (Choice("info"), ["1", "'loud'"]),
        (Strings(), ["1", "[1]", "{ a = 'b' }", "['a', 1]"]),
        (Pairs(), ["'A=b'", "['A=b']", "{ A = 1 }", "{ '' = 'b' }", "{ 'A=' = 'b' }"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Kind) else "",
)
def test_not_from_toml(kind: Kind, tomls: list[str]) -> None:
    for toml in tomls:
        value = tomllib.loads(f"x = {toml}" if ".x" not in toml else 'x = "a\\u0000b"')["x"]
        with pytest.raises(ValueError):  # noqa: PT011 - kinds give no text on purpose
            pytest.fail(f"{toml} was taken as {kind.from_toml(value)!r}")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Strings(), "a:1 'unix:/x y'", ("a:1", "unix:/x y")),
        (Strings(), "", ()),
        (Pairs(), "A=1 'B=x y'", (("A", "1"), ("B", "x y"))),
    ],
)
def test_parse_variable(kind: Kind, text: str, value: object) -> None:
    assert kind.parse_variable(text) == value


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - kinds give no text on purpose
        Strings().parse_variable("a 'b")


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def _again(kind: Kind, value: Any) -> Any:
    shown = kind.to_toml(value)
    assert shown is not None
    assert "\n" not in shown
    return kind.from_toml(tomllib.loads(f"x = {shown}")["x"])


@given(_TEXT)
def test_text_comes_back(text: str) -> None:
    assert tomllib.loads(f"x = {quote(text)}") == {"x": text}
    assert _again(Strings(), (text, text)) == (text, text)


@given(st.dictionaries(_TEXT.filter(lambda name: name and "=" not in name), _TEXT))
def test_pairs_come_back(pairs: dict[str, str]) -> None:
    assert tomllib.loads(f"x = {table(pairs.items())}") == {"x": pairs}
    assert _again(Pairs(), tuple(pairs.items())) == tuple(pairs.items())


@given(st.integers(0, 1 << 40))
def test_sizes_come_back(size: int) -> None:
    assert _again(Size(), size) == size


@given(st.integers(0, 0o7777))
def test_modes_come_back(mode: int) -> None:
    assert _again(Mode(), mode) == mode


@given(st.integers(1, 10**6 * 10**8))
def test_seconds_come_back(microseconds: int) -> None:
    assert _again(Seconds(), microseconds / 1e6) == pytest.approx(microseconds / 1e6, abs=1e-6)


def test_what_is_not_set_is_not_shown() -> None:
    assert Mode().to_toml(None) is None
