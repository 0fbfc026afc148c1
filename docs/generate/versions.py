"""Which onegate and which wsgi-matrix a result is of."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def onegate(source: Path = ROOT / "server") -> str:
    """Number and commit of ``source``, such as ``0.1.0 (b35e951)``.

    ``source`` is the directory that holds the package ``onegate``; of one that is not in a working
    tree of git there is only the number.
    """
    return _version(source, "onegate/_version.py")


def matrix() -> str:
    """Number and commit of ``matrix/``, likewise."""
    return _version(ROOT / "matrix", "wsgi_matrix/__init__.py")


def _version(source: Path, module: str) -> str:
    """With the last commit of the whole tree, and whether ``source`` was changed since."""
    text = (source / module).read_text("utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found, module
    if not shutil.which("git"):
        return found[1]
    git = ["git", "--no-optional-locks", "-C", str(source)]
    # What was installed or unpacked below a working tree is not of its commit.
    tracked = subprocess.run(
        [*git, "ls-files", "--error-unmatch", module], capture_output=True, check=False
    )
    head = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    if tracked.returncode or head.returncode:
        return found[1]
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."], check=False)
    return f"{found[1]} ({head.stdout.strip()}{', with changes' if changed.returncode else ''})"
