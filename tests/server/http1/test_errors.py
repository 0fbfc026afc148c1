"""The error that refuses a message."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import onegate.http1
from onegate.http1 import ProtocolError
from onegate.http1.response_writer import error_response


def test_it_says_status_reason_and_method() -> None:
    error = ProtocolError(414, "too long")
    assert (error.status, error.reason, error.method, str(error)) == (
        414,
        "too long",
        "GET",
        "too long",
    )


def raised(folder: Path) -> set[int]:
    """The statuses that the modules in and below a folder refuse a message with."""
    text = "".join(path.read_text() for path in folder.rglob("*.py"))
    return {int(code) for code in re.findall(r"ProtocolError\((\d+)", text)}


def test_every_status_that_is_raised_is_one_of_http() -> None:
    codes = raised(Path(onegate.http1.__file__).parent)
    assert codes >= {400, 413, 414, 417, 431, 501, 505}
    assert all(HTTPStatus(code) < 500 or code in (501, 505) for code in codes)


def test_every_status_that_the_server_sends_has_its_phrase() -> None:
    for code in raised(Path(onegate.http1.__file__).parents[1]) | {500}:
        line, _, _ = error_response(code).decode().partition("\r\n")
        phrase = {413: "Content Too Large", 414: "URI Too Long"}.get(code, HTTPStatus(code).phrase)
        assert line == f"HTTP/1.1 {code} {phrase}"
