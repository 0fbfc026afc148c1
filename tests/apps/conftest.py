"""Which apps are tested here, and how one is loaded: as a server does it, from its own folder."""

from __future__ import annotations

import importlib
import sys
import tomllib
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

ROOT = Path(__file__).parents[2]
APPS: dict[str, dict[str, str]] = tomllib.loads((ROOT / "matrix.toml").read_text())["apps"]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An app of the matrix in this environment."""

    name: str
    folder: Path
    framework: str
    """Distribution name; empty for the app that has none."""
    version: str
    """Installed version of it."""
    call: WSGIApplication


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--app",
        action="append",
        choices=sorted(APPS),
        help="test this app, whose framework has to be installed (repeatable). Without it: "
        "each app, skipping those whose framework is not installed",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.config.getoption("app") or list(APPS)
    if "loaded" in metafunc.fixturenames:
        metafunc.parametrize("loaded", names, indirect=True, scope="session")
    elif "folder" in metafunc.fixturenames:
        metafunc.parametrize("folder", [ROOT / APPS[name]["path"] for name in names], ids=names)


@pytest.fixture(scope="session")
def loaded(request: pytest.FixtureRequest) -> Iterator[Loaded]:
    """Import ``app`` from the app's folder, which is on the path for as long as it is tested."""
    name: str = request.param
    folder = ROOT / APPS[name]["path"]
    framework = APPS[name].get("framework", "")
    try:
        installed = version(framework) if framework else ""
    except PackageNotFoundError:
        if request.config.getoption("app"):
            pytest.fail(f"--app {name} was asked for, but {framework} is not installed here")
        pytest.skip(f"{framework} is not installed here")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        before = set(sys.modules)
        with warnings.catch_warnings():
            # What a framework deprecates while it is imported is its own (Pyramid: pkg_resources).
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
            call = importlib.import_module("app").app
        yield Loaded(name=name, folder=folder, framework=framework, version=installed, call=call)
        for module in set(sys.modules) - before:  # the next app's module is called "app" too
            if str(folder) in (getattr(sys.modules[module], "__file__", None) or ""):
                del sys.modules[module]
