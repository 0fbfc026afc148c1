"""``onegate.http1.cache``: what comes again and again, within bounds."""

from __future__ import annotations

import pytest
from onegate.http1.cache import Cache


def test_a_full_memory_forgets_everything_but_the_latest() -> None:
    cache: Cache[int, str] = Cache(2)
    for number in range(3):
        cache.store(number, str(number))
    assert cache.entries == {2: "2"}
    assert cache.get(2) == "2"
    assert cache.get(1) is None


def test_a_key_repeats_when_it_comes_for_the_second_time() -> None:
    cache: Cache[int, str] = Cache(2)
    assert [cache.repeats(number) for number in (1, 2, 1, 2, 1)] == [False, False, True, True, True]
    assert cache.entries == {}


def test_what_has_come_once_is_bounded_too() -> None:
    cache: Cache[int, str] = Cache(2)
    for number in range(5000):
        assert not cache.repeats(number)
        assert len(cache._recent) <= 1024
    assert cache.repeats(4999)
    assert not cache.repeats(4999 - 1024)  # whose place another one has taken


def test_a_key_without_a_hash_is_an_error() -> None:
    cache: Cache[tuple[object, ...], str] = Cache(2)
    with pytest.raises(TypeError):
        cache.repeats(([],))
