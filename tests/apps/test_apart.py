"""The apps stand alone: nothing of the server or the matrix in them, and locks that are whole."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .conftest import APPS, ROOT

FRAMEWORKS = {ROOT / app["path"]: app.get("framework") for app in APPS.values()}


def imported(source: Path) -> set[str]:
    """Top-level names of all modules that ``source`` imports."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(), str(source))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_imports_neither_server_nor_matrix(folder: Path) -> None:
    sources = list(folder.rglob("*.py"))
    assert folder / "app.py" in sources
    for source in sources:
        assert not imported(source) & {"onegate", "wsgi_matrix"}, source


def test_lock_is_hashed_and_names_no_index(folder: Path) -> None:
    text = (folder / "requirements.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--extra" not in text
    pins = re.findall(r"^\w.*(?:\n[ ].*)*", text, flags=re.MULTILINE)
    for pin in pins:
        assert re.match(r"[\w.-]+==[\w.]+", pin), pin
        assert "--hash=sha256:" in pin, pin
    wanted = FRAMEWORKS[folder]
    assert any(pin.startswith(f"{wanted}==") for pin in pins) == bool(wanted)


def test_every_folder_is_a_row_of_the_matrix() -> None:
    assert sorted(FRAMEWORKS) == sorted(p.parent for p in (ROOT / "apps").glob("*/app.py"))
