"""A repository of somebody else, made of the files of docs/extending.md, and the real command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[3]
PAGE = (TOP / "docs" / "extending.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`([\w./-]+)`[^\n]*:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A line that names a file, and its content."""
ENGINE = ("--engine", "process")


def files(section: str) -> dict[str, str]:
    """The files of a section of the page, by their paths."""
    [text] = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    found = dict(FILE.findall(text))
    assert found, section
    return found


@dataclass(frozen=True)
class Repository:
    """A directory with git, whose distribution is installed as an editable one is."""

    folder: Path
    site: Path

    def git(self, *words: str) -> str:
        """The output of git."""
        identity = (
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@localhost",
            "-c",
            "core.autocrlf=false",
        )
        # Of this repository, where a hook of git runs the tests.
        environ = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
        done = subprocess.run(
            ["git", *identity, *words],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def add(self, found: dict[str, str]) -> None:
        """Write files; what is there already gets the text at its end."""
        for name, text in found.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(text)

    def install(self) -> None:
        """Let the distribution be found, with the entry points of ``pyproject.toml``."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        info = self.site / f"acme_matrix-{project['version']}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        metadata = f"Name: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(metadata)
        lines = []
        for group, entries in project.get("entry-points", {}).items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join([*lines, ""]))

    def run(self, *words: str, code: int = 0) -> str:
        """What the command writes, stdout and then stderr; it has to end with ``code``."""
        self.install()
        environ = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}
        environ |= {"PYTHONPATH": os.pathsep.join([str(self.folder), str(self.site)])}
        environ |= {"PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "wsgi_matrix", *words],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def cells(self) -> list[dict[str, Any]]:
        """The cells of the last run."""
        value = json.loads((self.folder / "build/matrix/results.json").read_text())
        found: list[dict[str, Any]] = value["cells"]
        return found

    def added(self) -> set[str]:
        """Files and directories that are new: a directory alone where all in it is new."""
        lines = self.git("status", "--porcelain").splitlines()
        return {line[3:] for line in lines if line.startswith("?? ")}

    def changed(self) -> dict[str, tuple[int, int]]:
        """Files that were there and have changed: lines that came and that went."""
        rows = (line.split("\t") for line in self.git("diff", "--numstat").splitlines())
        return {name: (int(more), int(less)) for more, less, name in rows}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The repository that the page begins with, committed."""
    made = Repository(tmp_path / "acme", tmp_path / "site")
    made.add(files("The repository"))
    made.add(
        {name.replace("threaded", "first"): text.replace("threaded", "first")
         for name, text in files("A server").items()}
    )  # fmt: skip
    made.add({".gitignore": "/build/\n"})
    made.git("init", "--quiet")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "The matrix of Acme")
    return made
