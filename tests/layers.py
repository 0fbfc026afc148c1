"""Packages in layers: what modules import, read from their syntax trees."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

MOST = 16
"""Modules in a package."""
ENTRY = re.compile(r"[\w.]+:\w+")
"""``module:object``."""


def modules(root: Path, package: str, without: Sequence[str] = ()) -> dict[str, Path]:
    """The files of all modules by their full names; a package's is its ``__init__``.

    ``without``: directories that are no part of it.
    """
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        if set(path.relative_to(root).parts) & set(without):
            continue
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source: str, known: set[str], package: str = "") -> set[str]:
    """The modules that ``source`` imports, be it late or for annotations only.

    ``package``: what relative imports start from.

    Each text ``module:object``, as of an entry point, counts too, and where it imports by
    ``importlib``, each that is the name of a module.
    """
    names: set[str] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "an import from a package above"
            module = ".".join(filter(None, (package if node.level else "", node.module)))
            whole = {f"{module}.{alias.name}" for alias in node.names}
            names |= whole if whole <= known else {module, *whole}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    for text in texts:
        if isinstance(text, str) and ("importlib" in names or ENTRY.fullmatch(text)):
            names.add(text.partition(":")[0])
    return names & known


def top(module: str) -> str:
    """The package or module below the whole that ``module`` belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def graph(files: Mapping[str, Path]) -> dict[str, set[str]]:
    """Which modules each module imports."""
    return {
        name: imported(
            path.read_text(),
            set(files),
            name if path.stem == "__init__" else name.rpartition(".")[0],
        )
        for name, path in files.items()
    }


def upward(imports: Mapping[str, set[str]], layers: Sequence[set[str]]) -> list[str]:
    """The imports that lead out of a package to what does not lie below it.

    ``layers``: what is directly in the whole, the lowest first.
    """
    level = {name: number for number, names in enumerate(layers) for name in names}
    return sorted(
        f"{module} -> {other}"
        for module, others in imports.items()
        for other in others
        if top(module) != top(other) and level[top(other)] >= level[top(module)]
    )


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def crowded(files: Mapping[str, Path]) -> dict[Path, int]:
    """Directories with more than :data:`MOST` modules, and how many these are."""
    found = Counter(path.parent for path in files.values() if path.stem != "__init__")
    return {directory: count for directory, count in found.items() if count > MOST}
