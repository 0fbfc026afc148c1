"""Packages of ``server/onegate``: each imports only what lies below it, and none is crowded."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

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
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MOST = 16
"""Modules in a package."""


def modules(root: Path) -> dict[str, Path]:
    """The files of all modules by their full names; a package's is its ``__init__``."""
    found = {}
    for path in sorted((root / "onegate").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source: str, known: set[str]) -> set[str]:
    """The modules that ``source`` imports, be it late or for annotations only.

    Where it imports by ``importlib``, each text that is the name of a module counts too.
    """
    names: set[str] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, "an import that is not absolute"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= whole if whole <= known else {node.module, *whole}
    if "importlib" in names:
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        names |= {text for text in texts if isinstance(text, str)}
    return names & known


def top(module: str) -> str:
    """The package or module below ``onegate`` that ``module`` belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def graph(root: Path) -> dict[str, set[str]]:
    """Which modules each module imports."""
    files = modules(root)
    return {name: imported(path.read_text(), set(files)) for name, path in files.items()}


def upward(imports: dict[str, set[str]]) -> list[str]:
    """The imports that lead out of a package to what does not lie below it."""
    return sorted(
        f"{module} -> {other}"
        for module, others in imports.items()
        for other in others
        if top(module) != top(other) and LEVEL[top(other)] >= LEVEL[top(module)]
    )


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_belongs_to_one_layer() -> None:
    assert sum(map(len, LAYERS)) == len(LEVEL)
    assert {top(module) for module in modules(ROOT)} == set(LEVEL)


def test_imports_lead_downward() -> None:
    assert upward(graph(ROOT)) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(graph(ROOT)) == []


def test_no_package_is_crowded() -> None:
    files = [path for path in modules(ROOT).values() if path.stem != "__init__"]
    crowded = {
        folder: n for folder, n in Counter(path.parent for path in files).items() if n > MOST
    }
    assert crowded == {}


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
    ],
)
def test_imports_are_found(source: str, found: set[str]) -> None:
    assert imported(source, {"onegate", "onegate.net", "onegate.net.tls"}) == found


def test_an_import_upward_or_beside_is_found() -> None:
    assert upward({"onegate.net.tls": {"onegate.cli", "onegate.net.forwarded"}}) == [
        "onegate.net.tls -> onegate.cli"
    ]
    assert upward({"onegate.net.tls": {"onegate.logs"}, "onegate": {"onegate.cli"}}) == [
        "onegate.net.tls -> onegate.logs"
    ]


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})
