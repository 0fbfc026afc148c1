"""Distributions of an app that have other versions on another Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.runner import dependency_version_differences

INSTALLED = {
    "3.11": {"django": "5.2.9", "asgiref": "3.11.0", "tomli": "2.3.0"},
    "3.12": {"django": "6.0.1", "asgiref": "3.11.0"},
    "3.13": {"django": "6.0.1", "asgiref": "3.11.0"},
}


class Prepared:
    """An engine as far as it is asked here."""

    def __init__(self, installed: dict[str, dict[str, str]]) -> None:
        self._installed = installed

    def installed(self, cell: Cell) -> dict[str, str]:
        return self._installed[cell.python.version]


def noted(installed: dict[str, dict[str, str]], *apps: str) -> list[str]:
    server = Server(name="onegate", context=Path(), args=())
    cells = [
        Cell(
            server=replace(server, name=name),
            app=App(name=app, path=Path()),
            limits=Limits(),
            python=Python(version=version),
        )
        for name in ("onegate", "waitress")
        for app in apps
        for version in installed
    ]
    engine: Engine = Prepared(installed)  # type: ignore[assignment]
    return list(dependency_version_differences.notes(engine, cells))


def test_each_distribution_is_named_with_its_versions_and_their_pythons() -> None:
    expected = (
        "versions differ between Pythons: django 5.2.9 on 3.11, 6.0.1 on 3.12 and 3.13; "
        "tomli 2.3.0 on 3.11, none on 3.12 and 3.13. "
        "To change nothing but the Python, pin them in the requirements"
    )
    assert noted(INSTALLED, "shop", "desk") == [f"app shop: {expected}", f"app desk: {expected}"]


def test_nothing_is_noted_where_all_is_the_same() -> None:
    assert noted({"3.12": INSTALLED["3.12"], "3.13": INSTALLED["3.13"]}, "shop") == []
    assert noted({"3.11": INSTALLED["3.11"]}, "shop") == []
    assert noted({"3.11": {}, "3.13": {}}, "shop") == []
