"""Packages of ``server/onegate``: each imports only what lies below it, and none is crowded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers import MOST, circle, crowded, graph, imported, modules, top, upward

ROOT = Path(__file__).parents[2] / "server"
LAYERS = (
    {"_record", "_suggest", "_version", "settings_error"},
    {"config", "http1"},
    {"process"},
    {"logs", "net", "wsgi"},
    {"validate_settings", "worker"},
    {"master"},
    {"check_config", "migrate"},
    {"cli"},
    {"serving"},
    {"__init__", "__main__", "paste", "testing"},
)
"""Packages and modules of ``onegate``, the lowest first; docs/design.md tells why."""
FILES = modules(ROOT, "onegate")


def test_every_module_belongs_to_one_layer() -> None:
    assert sum(map(len, LAYERS)) == len(set[str]().union(*LAYERS))
    assert {top(module) for module in FILES} == set[str]().union(*LAYERS)


def test_imports_lead_downward() -> None:
    assert upward(graph(FILES), LAYERS) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(graph(FILES)) == []


def test_no_package_is_crowded() -> None:
    assert crowded(FILES) == {}


# ── what is looked for would be found ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import onegate.net.tls", {"onegate.net.tls"}),
        ("from onegate.net import tls, nothing", {"onegate.net.tls", "onegate.net"}),
        ("from onegate.net import tls", {"onegate.net.tls"}),
        ("from onegate.net.tls import context", {"onegate.net.tls"}),
        ("def f():\n    from onegate import net", {"onegate.net"}),
        ("if TYPE_CHECKING:\n    from onegate import __version__", {"onegate"}),
        ("import importlib\nNAMES = {'onegate.net.tls': 1}", {"onegate.net.tls"}),
        ("NAMES = {'onegate.net.tls': 1}", set()),
        ("import os, json\nfrom socket import socket", set()),
        ("from .tls import context", {"onegate.net.tls"}),
        ("from . import tls", {"onegate.net.tls"}),
    ],
)
def test_imports_are_found(source: str, found: set[str]) -> None:
    assert imported(source, {"onegate", "onegate.net", "onegate.net.tls"}, "onegate.net") == found


def test_an_import_upward_or_beside_is_found() -> None:
    assert upward({"onegate.net.tls": {"onegate.cli", "onegate.net.forwarded"}}, LAYERS) == [
        "onegate.net.tls -> onegate.cli"
    ]
    assert upward({"onegate.net.tls": {"onegate.logs"}, "onegate": {"onegate.cli"}}, LAYERS) == [
        "onegate.net.tls -> onegate.logs"
    ]


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_a_crowd_is_found() -> None:
    files = {f"a{number}": Path(f"a/{number}.py") for number in range(MOST + 1)}
    assert crowded(files) == {Path("a"): MOST + 1}
    del files["a0"]
    assert crowded(files) == {}
