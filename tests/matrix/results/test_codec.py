"""``wsgi_matrix.results.codec``: what a dataclass has is written, and read again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
from wsgi_matrix.results import codec


@dataclass(frozen=True)
class Part:
    name: str
    octets: bytes = b""


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]


def test_a_value_survives():
    whole = Whole((Part("a", b"\x00\xff"), Part("b")))
    assert codec.convert(codec.loads(codec.dumps(whole)), Whole) == whole


def test_threads_prepare_one_type_at_a_time(monkeypatch):
    """msgspec keeps what it finds out about a type at the type, and is not made for two at once."""
    busy, met = threading.Lock(), []
    decoder = msgspec.json.Decoder

    def alone(*args, **options):
        met.append(busy.acquire(blocking=False))
        try:
            return decoder(*args, **options)
        finally:
            if met[-1]:
                busy.release()

    monkeypatch.setattr(msgspec.json, "Decoder", alone)
    monkeypatch.setattr(codec, "_prepared", set())
    kinds = [dataclass(frozen=True)(type(f"Kind{number}", (), {})) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda kind: codec.convert({}, kind), kinds))
    assert met == [True] * len(kinds)
