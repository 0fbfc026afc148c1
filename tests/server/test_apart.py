"""The server, the matrix and the apps stand apart: what docs/design.md says of them (Layout)."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVED = tomllib.loads((ROOT / "matrix.toml").read_text())["apps"]
FRAMEWORKS = {app["framework"].lower() for app in SERVED.values() if "framework" in app}


def imported(source: str) -> set[str]:
    """Top-level names of all modules that ``source`` imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def named(text: str) -> set[str]:
    """The frameworks that are named in ``text``, in whatever case, within longer words too."""
    return {each for each in FRAMEWORKS if re.search(each, text, re.IGNORECASE)}


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize(
    ("folder", "other"), [("server/onegate", "wsgi_matrix"), ("matrix/wsgi_matrix", "onegate")]
)
def test_neither_imports_the_other(folder: str, other: str) -> None:
    assert [path for path in sources(folder) if other in imported(path.read_text())] == []


def test_the_server_names_no_framework() -> None:
    found = {path: named(path.read_text()) for path in sources("server")}
    assert {path: names for path, names in found.items() if names} == {}


def test_what_is_looked_for_would_be_found() -> None:
    assert {"flask", "django"} < FRAMEWORKS
    assert named('if "FLASK_ENV" in os.environ: import DjangoApp') == {"flask", "django"}
    assert imported(
        "def f():\n    import onegate.cli, a.b\n    from c.d import e\nfrom . import f"
    ) == {
        "onegate",
        "a",
        "c",
    }
