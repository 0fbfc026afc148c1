"""The error that refuses a message."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import onegate.http1
from onegate.http1 import ProtocolError


def test_it_says_status_reason_and_method() -> None:
    error = ProtocolError(414, "too long")
    assert (error.status, error.reason, error.method, str(error)) == (
        414,
        "too long",
        "GET",
        "too long",
    )


def test_every_status_that_is_raised_is_one_of_http() -> None:
    raised = set()
    for path in Path(onegate.http1.__file__).parent.glob("*.py"):
        raised |= {int(code) for code in re.findall(r"ProtocolError\((\d+)", path.read_text())}
    assert raised >= {400, 413, 414, 417, 431, 501, 505}
    assert all(HTTPStatus(code) < 500 or code in (501, 505) for code in raised)
