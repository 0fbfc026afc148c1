"""Distributions of an app whose versions differ between Pythons, as its cells may therefore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.model.axes import App, Cell


def notes(engine: Engine, cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each app of the prepared ``cells`` whose versions are not the same everywhere."""
    found: dict[App, dict[str, dict[str, str]]] = {}
    for (app, python), cell in {(each.app, each.python): each for each in cells}.items():
        found.setdefault(app, {})[python.version] = engine.installed(cell)
    for app, by_python in found.items():
        names = sorted({name for versions in by_python.values() for name in versions})
        differing = [text for name in names if (text := _versions(name, by_python))]
        if differing:
            yield (
                f"app {app.name}: versions differ between Pythons: {'; '.join(differing)}. "
                "To change nothing but the Python, pin them in the requirements"
            )


def _versions(name: str, by_python: dict[str, dict[str, str]]) -> str:
    """``django 5.2.9 on 3.11, 6.0.1 on 3.13``; empty if there is one version."""
    places: dict[str, list[str]] = {}
    for python, versions in by_python.items():
        places.setdefault(versions.get(name, "none"), []).append(python)
    if len(places) == 1:
        return ""
    return f"{name} " + ", ".join(f"{each} on {' and '.join(on)}" for each, on in places.items())
