"""Each tool has one version and one place for its settings, wherever it is started."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def required(environment: str, tool: str) -> str:
    """What an environment of tox.ini requires of ``tool``: ``ruff==1.2.3``."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    (found,) = re.findall(rf"^({tool}==\S+)$", tox[f"testenv:{environment}"]["deps"], re.MULTILINE)
    return str(found)


@pytest.mark.parametrize(("environment", "tool"), [("lint", "ruff"), ("types", "mypy")])
def test_what_contributors_install_is_what_ci_runs(environment: str, tool: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(rf"\b{tool}==[\w.]+", text)) == {required(environment, tool)}


def test_hooks_run_the_ruff_of_ci() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    hooks = [hook for each in yaml.safe_load(text)["repos"] for hook in each["hooks"]]
    ruff = [each["additional_dependencies"] for each in hooks if each["id"].startswith("ruff")]
    assert ruff == [[required("lint", "ruff")]] * 2


@pytest.mark.parametrize("name", ["ruff", "mypy", "pytest", "coverage"])
def test_settings_are_in_one_place(name: str) -> None:
    """Each of these files would be read in the place of pyproject.toml, without a word."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert name in settings["tool"]
    others = {f"{name}.ini", f".{name}.ini", f"{name}.toml", f".{name}.toml", ".coveragerc"}
    assert not {each.name for each in ROOT.iterdir()} & {*others, "setup.cfg"}
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    assert not [section for section in tox.sections() if section.startswith(name)]


def test_the_repository_is_no_project() -> None:
    """Else uv and pip would take it for one, beside the two in server/ and matrix/."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(settings) == {"tool"}
