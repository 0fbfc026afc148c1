"""Registries: names load nothing, and a broken entry is told with its distribution."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest
from wsgi_matrix.errors import UserError
from wsgi_matrix.util.entry_points import Registry

GROUP = "wsgi_matrix.made_up"


@dataclass(frozen=True)
class Thing:
    name: str


OURS = Thing("ours")


@pytest.fixture
def registry():
    return Registry(GROUP, Thing, {"ours": f"{__name__}:OURS"})


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """`offer("acme", "1.2", "ping = acme:PING", code)`: a distribution on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def make(distribution, version, entry, code=""):
        info = tmp_path / f"{distribution}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n")
        (tmp_path / f"{distribution}.py").write_text(code)

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


THING = f"from {__name__} import Thing\nPING = Thing('ping')\n"


def test_what_another_distribution_offers_stands_behind_ours(registry, offer):
    offer("acme", "1.2", "ping = acme:PING", THING)
    assert list(registry) == ["ours", "ping"]
    assert registry["ours"] is OURS
    assert registry["ping"] == Thing("ping")
    assert registry.is_built_in("ours")
    assert not registry.is_built_in("ping")
    assert registry.get("pong") is None


def test_names_load_nothing(registry, offer):
    offer("acme", "1.2", "ping = acme:PING", "raise SystemError")
    assert "ping" in registry
    assert list(registry) == ["ours", "ping"]
    assert len(registry) == 2
    assert "acme" not in sys.modules


@pytest.mark.parametrize(
    ("entry", "code", "text"),
    [
        ("ping = acme:PING", "import nothing_of_that_name", "cannot be loaded: ModuleNotFound"),
        ("ping = acme:PONG", THING, "cannot be loaded: AttributeError"),
        ("ping = acme:PING", "PING = 7", "expected a Thing, got 7"),
        ("pong = acme:PING", THING, "its own name is 'ping'"),
    ],
)
def test_a_broken_one_is_told_with_its_distribution(registry, offer, entry, code, text):
    offer("acme", "1.2", entry, code)
    name, _, value = entry.partition(" = ")
    with pytest.raises(UserError) as caught:
        registry[name]
    assert str(caught.value).startswith(f'acme 1.2: entry point "{name}" of {GROUP} ({value})')
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "first", "second"), [("ours", "wsgi-matrix", "acme 1.2"), ("ping", "b 1", "acme 1.2")]
)
def test_two_of_one_name_are_refused_with_both_distributions(registry, offer, name, first, second):
    offer("acme", "1.2", f"{name} = acme:PING", THING)
    offer("b", "1", "ping = b:PING", THING)
    with pytest.raises(UserError) as caught:
        registry[name]
    assert first in str(caught.value)
    assert second in str(caught.value)
    assert next(iter(registry)) == "ours"
