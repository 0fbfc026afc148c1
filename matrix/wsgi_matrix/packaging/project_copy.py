"""Copies of projects for builds, which create `build/`, `*.egg-info` and more where they run.

A copy is in a directory like the original's: everything around the project, up to its repository,
is linked there, for builds that read `../README.md` or ask git for a version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

CACHE_TAG = "CACHEDIR.TAG"
"""Marks a directory as a cache, such as wsgi-matrix's own (https://bford.info/cachedir/)."""
LINKED = frozenset({".hg", ".svn", "node_modules", ".venv", "venv"})
"""Directories that are not copied, because they are large and builds do not write to them."""
LEFT_OUT = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".tox", ".nox"})
GIT = ".git"
OF_PATHS = "/!$&'()*+,;=:@[]|~"
"""Characters that uv does not escape in file URLs (URL Standard, path percent-encode set)."""


def copy(project: Path, scratch: Path) -> Path:
    """Copy ``project`` to a directory below ``scratch``, an empty directory.

    Raises ``OSError``.
    """
    project = project.resolve()
    top = next((each for each in project.parents if (each / GIT).exists()), project.parent)
    if (project / GIT).exists():
        top = project.parent
    here = scratch / (top.name or "root")
    here.mkdir()
    there = top
    for name in project.relative_to(top).parts:
        with suppress(PermissionError):  # a directory that may be entered, but not listed
            for each in there.iterdir():
                if each.name != name:
                    _link(each, here / each.name)
        here, there = here / name, there / name
        if there != project:
            here.mkdir()
    _copy(project, here, project)
    if (top / GIT).exists():
        _forget_the_rest(scratch / (top.name or "root"), project.relative_to(top))
    return here


def _forget_the_rest(repository: Path, project: Path) -> None:
    """Restrict git to ``project`` in a copy, because links elsewhere would look like changes."""
    git = ["git", "-C", str(repository)]
    with suppress(OSError, subprocess.SubprocessError):  # without git, no build can call it
        listed = subprocess.run([*git, "ls-files", "-z"], capture_output=True, check=True).stdout
        own = os.fsencode(project) + b"/"
        rest = [each for each in listed.split(b"\0") if each and not each.startswith(own)]
        subprocess.run(
            [*git, "update-index", "-z", "--skip-worktree", "--stdin"],
            input=b"\0".join(rest), capture_output=True, check=True,
        )  # fmt: skip


def names(project: Path, copied: Path) -> dict[str, str]:
    """Replacements for the paths of a copy in messages."""
    forms = (copied.as_uri(), f"file://{quote(str(copied), safe=OF_PATHS)}")
    return {**dict.fromkeys(forms, project.as_uri()), str(copied): str(project)}


def _copy(source: Path, target: Path, project: Path) -> None:
    target.mkdir()
    for each in source.iterdir():
        copied = target / each.name
        if each.is_symlink():
            copied.symlink_to(_link_target(each, project))
        elif each.name in LINKED or each.name == GIT:
            _link(each, copied)
        elif each.is_dir():
            if each.name not in LEFT_OUT and not (each / CACHE_TAG).exists():
                _copy(each, copied, project)
        elif each.is_file():
            shutil.copy2(each, copied)


def _link_target(link: Path, project: Path) -> str:
    """The target of ``link``: unchanged within the project, else as an absolute path."""
    words = os.readlink(link)  # noqa: PTH115 - as it is written
    target = os.path.normpath(link.parent / words)
    return words if Path(target).is_relative_to(project) else target


def _link(source: Path, target: Path) -> None:
    """Link ``target`` to ``source``; git's index is copied, because git writes to it."""
    if source.name != GIT or not source.is_dir():
        target.symlink_to(source)
        return
    target.mkdir()
    for each in source.iterdir():
        if each.is_dir():
            (target / each.name).symlink_to(each)
        elif each.is_file():
            shutil.copy2(each, target / each.name)
