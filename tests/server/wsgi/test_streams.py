"""wsgi.input and wsgi.errors (PEP 3333, "Input and Error Streams")."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from onegate.wsgi.environ import ErrorStream

from tests.server.helpers import serving
from tests.server.wsgi.conftest import FOLDER, Apps

LINES = b"first\nsecond line\n\nfourth\r\nno end"
SPOOLED = b"".join(b"%d\n" % number for number in range(150_000))
"""Over the 512 KiB that are kept in memory."""


def chunked(content: bytes) -> bytes:
    """``content`` in chunks of 7 octets, and one large one."""
    parts = [content[start : start + 7] for start in range(0, min(len(content), 70), 7)]
    parts += [content[70:]] if content[70:] else []
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def steps(apps: Apps, query: str, content: bytes = LINES, *, how: str = "length") -> Any:
    """What the calls of wsgi.input that ``query`` names gave; see the app ``input_calls``."""
    with apps.server.connect() as client:
        if how == "chunked":
            apps.send("input_calls", "Transfer-Encoding: chunked", query=query, client=client)
            client.send(chunked(content))
        else:
            apps.send("input_calls", query=query, content=content, method="POST", client=client)
        told = json.loads(client.response().content)
        # Whatever was read of it, the next request begins where this one's content ended.
        assert apps.send("one_block", client=client).response().content == b"one block"
    return told


HOW = pytest.mark.parametrize("how", ["length", "chunked"])
TEXT = LINES.decode("latin-1")


@HOW
def test_W17_all_methods_of_input(apps: Apps, how: str) -> None:
    assert steps(apps, "read=1&readline&readlines", how=how) == [
        "f", "irst\n", ["second line\n", "\n", "fourth\r\n", "no end"],
    ]  # fmt: skip
    assert steps(apps, "iter", how=how) == [TEXT.splitlines(keepends=True)]


def test_W17_all_methods_of_errors(either: Apps) -> None:
    assert either.ask("errors").text == "noted"
    either.server.wait_for_log("the last line")


@HOW
@pytest.mark.parametrize("call", ["read=9999", "read=-1", "readlines", "iter"])
def test_W23_never_past_the_end(apps: Apps, call: str, how: str) -> None:
    """Behind the content stands another request already, and none of it is seen."""
    query = f"{call}&read&read=5&readline&iter"
    last = [TEXT] if call.startswith("read=") else [TEXT.splitlines(keepends=True)]
    assert steps(apps, query, how=how) == [*last, "", "", "", []]


@HOW
def test_W24_read_without_argument_returns_the_rest(apps: Apps, how: str) -> None:
    assert steps(apps, "read=8&read", how=how) == [TEXT[:8], TEXT[8:]]


@HOW
def test_W25_read_of_minus_one_is_read(apps: Apps, how: str) -> None:
    assert steps(apps, "read=8&read=-1", how=how) == [TEXT[:8], TEXT[8:]]


@HOW
def test_W26_read_of_zero_takes_nothing(apps: Apps, how: str) -> None:
    assert steps(apps, "read=0&read", how=how) == ["", TEXT]


@HOW
def test_W27_empty_for_ever_when_exhausted(apps: Apps, how: str) -> None:
    assert steps(apps, "read&read&read=1&readline&readlines&iter&read", how=how) == [
        TEXT, "", "", "", [], [], "",
    ]  # fmt: skip


@HOW
def test_W28_readline_keeps_the_line_feed(apps: Apps, how: str) -> None:
    assert steps(apps, "&".join(["readline"] * 6), how=how) == [
        *TEXT.splitlines(keepends=True), "",
    ]  # fmt: skip


@HOW
def test_W29_readline_honours_size(apps: Apps, how: str) -> None:
    query = "readline=3&readline=3&readline=-1&readline=0"
    assert steps(apps, query, how=how) == ["fir", "st\n", "second line\n", ""]


@HOW
def test_W30_readlines_with_hint(apps: Apps, how: str) -> None:
    first, *rest = TEXT.splitlines(keepends=True)
    assert steps(apps, "readlines=1&readlines=9999", how=how) == [[first], rest]


@HOW
def test_W31_iteration_ends_with_the_content(apps: Apps, how: str) -> None:
    assert steps(apps, "iter&iter", how=how) == [TEXT.splitlines(keepends=True), []]


@HOW
def test_W32_one_position_for_all_methods(apps: Apps, how: str) -> None:
    assert steps(apps, "read=2&readline&readline=4&iter", how=how) == [
        "fi", "rst\n", "seco", ["nd line\n", "\n", "fourth\r\n", "no end"],
    ]  # fmt: skip


@HOW
def test_W32_the_same_on_disk(apps: Apps, how: str) -> None:
    told = steps(apps, "read=2&readline&readline=1&readlines=9&iter&read", SPOOLED, how=how)
    assert "".join("".join(part) for part in told) == SPOOLED.decode()


def test_W33_no_content_is_empty(apps: Apps) -> None:
    empty = ["", "", "", [], []]
    query = "read&read=5&readline&readlines&iter"
    with apps.send("input_calls", query=query) as client:
        assert json.loads(client.response().content) == empty
    with apps.send("input_calls", "Content-Length: 0", query=query) as client:
        assert json.loads(client.response().content) == empty
    with apps.send("input_calls", "Transfer-Encoding: chunked", query=query) as client:
        assert json.loads(client.send(b"0\r\n\r\n").response().content) == empty


@pytest.mark.parametrize(
    ("field", "begun"),
    [("Content-Length: 10", b"12345"), ("Transfer-Encoding: chunked", b"5\r\n12345\r\n")],
)
def test_W34_never_called_for_a_truncated_upload(apps: Apps, field: str, begun: bytes) -> None:
    with apps.send("callables", field) as client:
        assert client.send(begun).half_close().closed()
    assert "callables imported" not in apps.events()


def test_W35_errors_take_any_text(either: Apps) -> None:
    assert either.ask("errors").text == "noted"
    for call in ("write", "writelines"):
        either.server.wait_for_log(rf"{call}: latin ä, greek λ, emoji 🎉, lone surrogate \\ud800")


def test_W35_errors_take_any_text_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("ascii", "latin-1", "utf-8"):
        octets = io.BytesIO()
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(octets, encoding, "strict"))
        stream = ErrorStream()
        assert stream.write("ä λ \ud800\n") == 6
        stream.writelines(["a\n", "b\n"])
        stream.flush()
        written = octets.getvalue().decode(encoding)
        assert written.endswith("a\nb\n")
        assert "\\ud800" in written
        assert ("ä" in written) is (encoding != "ascii")


@HOW
def test_W69_expect_100_continue_is_transparent(apps: Apps, how: str) -> None:
    field = "Transfer-Encoding: chunked" if how == "chunked" else "Content-Length: 5"
    fields = (field, "Expect: 100-continue")
    with apps.send("input_calls", *fields, query="read", method="POST") as client:
        assert client.head().status == 100
        client.send(chunked(b"12345") if how == "chunked" else b"12345")
        assert json.loads(client.response().content) == ["12345"]


@pytest.mark.parametrize("size", [0, 1, 10_000, 2_000_000])
def test_W70_chunked_content_is_decoded(either: Apps, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with either.send("digest", "Transfer-Encoding: chunked", method="POST") as client:
        digest, count = client.send(chunked(content)).response().text.split()
    assert (digest, int(count)) == (hashlib.sha256(content).hexdigest(), size)


@pytest.mark.parametrize("fields", [(), ("Content-Length: 0",), ("Transfer-Encoding: chunked",)])
def test_W71_input_terminated(apps: Apps, fields: tuple[str, ...]) -> None:
    with apps.send("environ_json", *fields) as client:
        client.send(b"0\r\n\r\n" if "chunked" in "".join(fields) else b"")
        assert b'"wsgi.input_terminated": ["bool", "True"]' in client.response().content


@HOW
def test_content_that_is_not_read_is_not_the_next_request(either: Apps, how: str) -> None:
    content = b"GET /plain/raises HTTP/1.1\r\nHost: a\r\n\r\n"
    with either.server.connect() as client:
        field = (
            f"Content-Length: {len(content)}" if how == "length" else "Transfer-Encoding: chunked"
        )
        either.send("ignores_input", field, method="POST", client=client)
        client.send(content if how == "length" else chunked(content))
        assert client.response().content == b"ignored"
        assert either.send("one_block", client=client).response().content == b"one block"


def test_an_app_that_closes_the_input_hurts_nobody(apps: Apps) -> None:
    assert apps.ask("closes_input", content=SPOOLED).content == b"closed"
    assert apps.ask("closes_input", content=b"small").content == b"closed"
    assert apps.ask("closes_input").content == b"closed"


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413)])
def test_without_a_disk_what_memory_does_not_hold_is_refused(
    tmp_path: Path, size: int, status: int
) -> None:
    options = ("--chdir", str(FOLDER), "--spool", "none", "--body-memory", "1000")
    with serving(tmp_path, "", *options, target="digest:app") as server:
        for framing, content in (
            (f"Content-Length: {size}", b"x" * size),
            ("Transfer-Encoding: chunked", chunked(b"x" * size)),
        ):
            head = f"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n"
            with server.connect() as client:
                assert client.send(head.encode() + content).response().status == status
