"""Copies of projects: what a build finds around it is there, and what it writes is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from wsgi_matrix.packaging import project_copy


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """In a directory of a larger one."""
    folder = tmp_path / "all" / "packages" / "tea shop"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "tea.py").write_text("name = 'tea'\n")
    (folder / "setup.sh").write_text("true\n")
    (folder / "setup.sh").chmod(0o755)
    (tmp_path / "all" / "packages" / "README").write_text("beside it\n")
    (tmp_path / "all" / "VERSION").write_text("1.0\n")
    return folder


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return project_copy.copy(project, tmp_path / "scratch")


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def everything(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in folder.rglob("*")
    }


def test_files_are_copied_and_what_is_beside_the_project_is_linked(copied: Path) -> None:
    assert copied.name == "tea shop"
    assert (copied / "src" / "tea.py").read_text() == "name = 'tea'\n"
    assert not (copied / "src" / "tea.py").is_symlink()
    assert (copied / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert (copied / ".." / "README").read_text() == "beside it\n"


def test_what_is_written_in_the_copy_is_not_in_the_project(project: Path, copied: Path) -> None:
    (copied / "src" / "tea.py").write_text("")
    (copied / "build").mkdir()
    assert (project / "src" / "tea.py").read_text() == "name = 'tea'\n"
    assert not (project / "build").exists()


def test_links_lead_where_they_led(project: Path, tmp_path: Path) -> None:
    (project / "inside").symlink_to("src/tea.py")
    (project / "beside").symlink_to("../README")
    (project / "whole").symlink_to(tmp_path / "all" / "VERSION")
    (project / "nowhere").symlink_to("gone")
    (tmp_path / "scratch").mkdir()
    copied = project_copy.copy(project, tmp_path / "scratch")
    assert (copied / "inside").resolve() == (copied / "src" / "tea.py").resolve()
    assert (copied / "beside").read_text() == "beside it\n"
    assert (copied / "whole").read_text() == "1.0\n"
    assert (copied / "nowhere").is_symlink()


def test_caches_stay_and_what_is_large_is_linked(project: Path, tmp_path: Path) -> None:
    for name in ("node_modules", "src/__pycache__", "cache"):
        (project / name).mkdir()
        (project / name / "x").touch()
    (project / "cache" / project_copy.CACHE_TAG).touch()
    scratch = project / "cache" / "scratch"  # as a build directory in the app's own folder
    scratch.mkdir()
    copied = project_copy.copy(project, scratch)
    assert (copied / "node_modules").is_symlink()
    assert not (copied / "src" / "__pycache__").exists()
    assert not (copied / "cache").exists()


@pytest.mark.parametrize("top", ["all", "all/packages/tea shop"])
def test_git_says_the_same_of_it_and_its_repository_is_not_written(
    project: Path, tmp_path: Path, top: str
) -> None:
    """Of the project itself, and of a repository that it is a part of."""
    repository = tmp_path / top
    git(repository, "init", "--quiet")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "one")
    git(repository, "tag", "v1.2")
    before = everything(repository / ".git")
    (tmp_path / "scratch").mkdir()
    copied = project_copy.copy(project, tmp_path / "scratch")
    assert git(copied, "describe", "--tags", "--dirty") == "v1.2"
    (copied / "src" / "tea.py").write_text("")
    assert git(copied, "describe", "--tags", "--dirty") == "v1.2-dirty"
    assert git(copied, "rev-parse", "--show-prefix") == git(project, "rev-parse", "--show-prefix")
    assert everything(repository / ".git") == before
