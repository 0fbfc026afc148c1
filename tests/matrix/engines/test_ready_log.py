"""The ready pattern of a server: waited for once, and not longer than its server lives."""

from __future__ import annotations

import pytest
from wsgi_matrix.engines.ready_log import ReadyLog
from wsgi_matrix.errors import CellError


def never() -> None:
    """The server runs."""


def exited() -> None:
    raise CellError("the server exited before it was ready")


def no_log() -> str:
    raise AssertionError("the log is not to be read")


def test_it_is_waited_for_until_the_log_has_it():
    reads = iter(["starting\n", "starting\nup\n"])
    ReadyLog("(?m)^up$").wait(60, lambda: next(reads), never)
    assert list(reads) == []


def test_what_was_found_is_not_looked_for_again():
    ready = ReadyLog("up")
    ready.wait(60, lambda: "up", never)
    ready.wait(60, no_log, exited)


def test_without_a_pattern_there_is_nothing_to_wait_for():
    ReadyLog("").wait(60, no_log, exited)


def test_a_server_that_has_exited_ends_the_wait():
    with pytest.raises(CellError, match="exited before it was ready"):
        ReadyLog("up").wait(60, lambda: "", exited)


def test_a_log_without_it_is_an_error_with_the_pattern_the_seconds_and_the_log():
    with pytest.raises(CellError, match=r"did not match 'up' within 0 s") as caught:
        ReadyLog("up").wait(0, lambda: "down", never)
    assert caught.value.log == "down"
