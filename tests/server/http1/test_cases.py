"""The reader of the corpus: what each notation stands for, and what is said of a wrong file."""

from __future__ import annotations

from pathlib import Path

import pytest
from onegate.http1 import MessageLimits

from tests.server.http1.cases import Case, CorpusError, load
from tests.server.http1.readers import Message, Reading

ERROR = 'expect = [{ status = 400, reason = "wrong" }]'


def case_of(send: str = '"x"', expect: str = ERROR, *, name: str = "a", more: str = "") -> str:
    """A ``[[case]]`` of TOML."""
    given = f'name = "{name}"\nabout = "What it is."\nrules = ["R1", "R20"]\n{more}'
    return f"[[case]]\n{given}\nsend = {send}\n{expect}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "9112-7.1.toml"


def only(file: Path, text: str) -> Case:
    """The only case of ``text``."""
    file.write_text(text, "utf-8")
    (case,) = load(file.parent)
    return case


def test_a_case_with_an_error(file: Path) -> None:
    assert only(file, case_of(more="limits = { body = 5 }")) == Case(
        id="invalid/9112-7.1-a",
        about="What it is.",
        rules=("R1", "R20"),
        limits=MessageLimits(body=5),
        octets=b"x",
        reading=Reading(messages=(), error=(400, "wrong")),
        incomplete=False,
    )


def test_a_request_says_what_is_not_ordinary(file: Path) -> None:
    expect = """[[case.expect]]
        request = "POST /b HTTP/1.0"
        fields = ["host: b", "x: ", "y: a: b"]
        content = "\\u00E4"
        authority = "b"
        close = true
        expect_continue = true
    """
    case = only(file, case_of(expect=f'{expect}\n[[case.expect]]\nrequest = "GET / HTTP/1.1"'))
    assert case.id == "valid/9112-7.1-a"
    assert case.valid
    assert not case.incomplete
    not_ordinary = Message(
        method="POST",
        target="/b",
        minor=0,
        fields=(("host", "b"), ("x", ""), ("y", "a: b")),
        content=b"\xe4",
        authority="b",
        close=True,
        expect_continue=True,
    )
    assert case.reading == Reading(messages=(not_ordinary, Message()))


@pytest.mark.parametrize(
    ("expect", "messages"),
    [
        ("expect = [{ incomplete = true }]", ()),
        ('expect = [{ request = "GET / HTTP/1.1", incomplete = true }]', (Message(whole=False),)),
    ],
)
def test_incomplete(file: Path, expect: str, messages: tuple[Message, ...]) -> None:
    case = only(file, case_of(expect=expect))
    assert case.valid
    assert case.incomplete
    assert case.reading == Reading(messages=messages)


@pytest.mark.parametrize(
    ("send", "octets"),
    [
        (r'"\u0000\t\r\n\u007F\u0080\u00FF"', b"\0\t\r\n\x7f\x80\xff"),
        ('"""\nGET /\\r\n\\r\n\\n"""', b"GET /\r\n\r\n\n"),
        ('["a", ["b", []], "c"]', b"abc"),
        ('{ repeat = "ab", times = 3 }', b"ababab"),
        ('["a", { repeat = ["b", { repeat = "c", times = 2 }], times = 2 }]', b"abccbcc"),
        ('{ repeat = ["X#: ", "#;"], times = 2, number = "#" }', b"X0: 0;X1: 1;"),
        ("{ from = 0x00, to = 0xFF }", bytes(range(256))),
    ],
)
def test_octets(file: Path, send: str, octets: bytes) -> None:
    assert only(file, case_of(send)).octets == octets


def test_line_ends_of_the_file_do_not_matter(file: Path) -> None:
    file.write_bytes(case_of('"""\nGET /\\r\n\\n"""').replace("\n", "\r\n").encode())
    (case,) = load(file.parent)
    assert case.octets == b"GET /\r\n\n"


def test_fields_are_repeated_and_made_of_pieces(file: Path) -> None:
    repeated = '{ repeat = "x#: #", times = 2, number = "#" }'
    pieces = '[{ repeat = "y", times = 3 }, ": ", "z"]'
    expect = f'expect = [{{ request = "GET / HTTP/1.1", fields = [{repeated}, {pieces}] }}]'
    (message,) = only(file, case_of(expect=expect)).reading.messages
    assert message.fields == (("x0", "0"), ("x1", "1"), ("yyy", "z"))


def test_valid_cases_come_first(file: Path) -> None:
    nothing = "expect = []"
    file.write_text(case_of(name="b") + case_of(name="c", expect=nothing) + case_of(name="a"))
    file.with_name("9110-2.toml").write_text(case_of(expect=nothing))
    assert [case.id for case in load(file.parent)] == [
        *("valid/9110-2-a", "valid/9112-7.1-c", "invalid/9112-7.1-a", "invalid/9112-7.1-b")
    ]


def request(more: str) -> str:
    """What is expected: a request with ``more``."""
    return f'expect = [{{ request = "GET / HTTP/1.1", {more} }}]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[case]", "Expected ']]' at the end of an array declaration"),
        ("[[cases]]", "unknown key 'cases'; there are case"),
        ("", "case is missing"),
        ("case = 1", "case cannot be 1"),
        ("case = [1]", "case 1: 1 is not a table"),
        ("[[case]]", "case 1: name is missing"),
        (case_of() + case_of(), "there are two cases invalid/9112-7.1-a"),
        (case_of(more='sends = ""'), "case a: unknown key 'sends'; there are name, about, rules"),
        (case_of(name="a b"), "case a b: a name has letters, digits"),
        (case_of().replace("R20", "20"), "case a: rules are written as"),
        (case_of(more="limits = { line = 1 }"), "case a: limits: MessageLimits has no line"),
        (case_of("1"), "case a: send cannot be 1"),
        (case_of('"€"'), r"case a: '€' is not one octet: write each of its octets as \u00XX"),
        (case_of("[1]"), "case a: 1 is neither text nor { repeat"),
        (case_of('{ repeat = "x" }'), "is neither text nor { repeat"),
        (case_of('{ repeat = "x", times = 1 }'), "is neither text nor { repeat"),
        (case_of('{ repeat = "x", times = 2, count = "#" }'), "is neither text nor { repeat"),
        (case_of('{ repeat = "x", times = 2, number = "" }'), "is neither text nor { repeat"),
        (case_of("{ from = 9, to = 1 }"), "is neither text nor { repeat"),
        (case_of(expect="expect = {}"), "case a: expect cannot be {}"),
        (case_of(expect="expect = [1]"), "case a: 1 is not a table"),
        (case_of(expect="expect = [{}]"), "case a: status is missing"),
        (case_of(expect="expect = [{ status = 400 }]"), "case a: reason is missing"),
        (
            case_of(expect=request("status = 400")),
            "case a: unknown key 'status'; there are request",
        ),
        (case_of(expect=request("close = 1")), "case a: close cannot be 1"),
        (case_of(expect=request('fields = ["host"]')), "'host' is not a field such as 'host: a'"),
        (
            case_of(expect='expect = [{ request = "GET /" }]'),
            "case a: 'GET /' is not a request line such as 'GET / HTTP/1.1'",
        ),
        (
            case_of(expect=ERROR.replace("[{", '[{ status = 400, reason = "" }, {')),
            "case a: nothing is read behind an error or an incomplete request",
        ),
        (
            case_of(expect=ERROR.replace("[{", "[{ incomplete = true }, {")),
            "case a: nothing is read behind an error or an incomplete request",
        ),
    ],
)
def test_a_wrong_file_is_named(file: Path, text: str, message: str) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(CorpusError) as raised:
        load(file.parent)
    assert str(raised.value).startswith("9112-7.1.toml: ")
    assert message in str(raised.value)


def test_a_file_that_is_not_utf_8_is_named(file: Path) -> None:
    file.write_bytes(b"\xff")
    with pytest.raises(CorpusError, match=r"9112-7\.1\.toml: 'utf-8' codec can't decode"):
        load(file.parent)
