"""``onegate.logs.request_id``: ids that are made once, or adopted where they may be."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from onegate.logs.request_id import KEY, MAX_LENGTH, adopt, request_id


def test_a_name_is_made_once() -> None:
    one: dict[str, Any] = {}
    two: dict[str, Any] = {}
    assert request_id(one) == request_id(one) == one[KEY]
    assert request_id(one) != request_id(two)
    assert re.fullmatch("[0-9a-f]{12}-[0-9a-f]+", one[KEY])


@pytest.mark.parametrize("value", ["a", "f81d4fae-7dec", "1-67891233-abcdef", "a" * MAX_LENGTH])
def test_a_name_is_adopted(value: str) -> None:
    environ: dict[str, Any] = {"HTTP_X_REQUEST_ID": value}
    adopt(environ)
    assert request_id(environ) == value


@pytest.mark.parametrize(
    "value", ["", "a b", "a]", 'a"', "a\n", "\xe9", "a,b", "a" * (MAX_LENGTH + 1)]
)
def test_what_is_no_token_is_not_adopted(value: str) -> None:
    environ: dict[str, Any] = {"HTTP_X_REQUEST_ID": value}
    adopt(environ)
    assert KEY not in environ
    assert request_id(environ) != value


def test_a_name_is_not_taken_from_anybody() -> None:
    assert request_id({"HTTP_X_REQUEST_ID": "a"}) != "a"


def test_processes_give_different_names() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(write, request_id({}).encode())
        os._exit(0)
    os.close(write)
    assert os.waitpid(pid, 0)[1] == 0
    other = os.read(read, 100).decode()
    os.close(read)
    assert other.partition("-")[0] != request_id({}).partition("-")[0]
