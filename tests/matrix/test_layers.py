"""Packages of ``matrix/wsgi_matrix``: each imports only what lies below it, none is crowded."""

from __future__ import annotations

from pathlib import Path

from tests.layers import circle, crowded, graph, imported, modules, top, upward

ROOT = Path(__file__).parents[2] / "matrix"
LAYERS = (
    {"__init__", "errors"},
    {"util"},
    {"model"},
    {"probe"},
    {"http", "packaging", "traffic"},
    {"engines", "suites"},
    {"config", "results"},
    {"runner"},
    {"reports"},
    {"cli", "docs_pages", "pytest_plugin"},
    {"__main__"},
)
"""Packages and modules of ``wsgi_matrix``, the lowest first; docs/design.md tells why."""
FILES = modules(ROOT, "wsgi_matrix", without=("apps", "servers"))
"""All but the applications that suites bring, and the servers that a distribution packs."""


def test_an_entry_of_a_registry_is_an_import() -> None:
    assert imported('ENTRIES = {"one": "a.b:TYPE"}', {"a.b", "a"}) == {"a.b"}
    assert imported('TEXT = "a: b"', {"a"}) == set()


def test_every_module_belongs_to_one_layer() -> None:
    assert sum(map(len, LAYERS)) == len(set[str]().union(*LAYERS))
    assert {top(module) for module in FILES} == set[str]().union(*LAYERS)


def test_imports_lead_downward() -> None:
    assert upward(graph(FILES), LAYERS) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(graph(FILES)) == []


def test_no_package_is_crowded() -> None:
    assert crowded(FILES) == {}
