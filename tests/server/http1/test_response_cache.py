"""``onegate.http1.response_cache``: heads that an application gives again and again."""

from __future__ import annotations

from typing import Any

import pytest
from onegate.http1 import response_cache
from onegate.http1.cache import Cache
from onegate.http1.response_writer import frame


def test_a_head_that_comes_again_is_the_same_and_is_checked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(response_cache, "HEADS", Cache(256))
    fields = [("X", "1"), ("Content-Length", "2")]
    heads = [response_cache.response_head("200 OK", list(fields)) for _ in range(4)]
    assert heads[1] is heads[2] is heads[3]
    assert [head.is_kept for head in heads] == [False, True, True, True]
    assert [head.lines for head in heads] == ["X: 1\r\nContent-Length: 2\r\n"] * 4
    # Framing is made anew where something else is asked for.
    for minor, close in ((1, False), (1, True), (0, False), (1, False)):
        octets, _, _ = frame(heads[3], method="GET", minor=minor, close=close, length=None)
        assert (b"Connection: close" in octets) is close
        assert (b"Connection: keep-alive" in octets) is (not minor)
    head, _, _ = frame(heads[3], method="HEAD", minor=1, close=False, length=None)
    assert head == octets


def test_heads_that_cannot_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: Cache[Any, Any] = Cache(response_cache.HEADS.most)
    monkeypatch.setattr(response_cache, "HEADS", heads)
    for _ in range(3):
        response_cache.response_head("200 OK", [("Set-Cookie", "a=hush")])
        response_cache.response_head("200 OK", [("X", "x" * 1100)])
        with pytest.raises(TypeError):
            response_cache.response_head("200 OK", [("X", ["1"])])  # type: ignore[list-item]
    assert not heads.entries
    for number in range(3000):
        for _ in range(2):
            response_cache.response_head("200 OK", [("X", str(number))])
        assert len(heads.entries) <= 256
    assert len(heads._recent) <= 1024
