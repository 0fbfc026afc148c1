"""Which onegate and which wsgi-matrix a result is of."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def onegate() -> str:
    """Number and commit of ``server/``, such as ``0.1.0 (b35e951)``."""
    return _version("server", "onegate/_version.py")


def matrix() -> str:
    """Number and commit of ``matrix/``, likewise."""
    return _version("matrix", "wsgi_matrix/__init__.py")


def _version(directory: str, module: str) -> str:
    """With the last commit of the whole tree, and whether ``directory`` was changed since."""
    text = (ROOT / directory / module).read_text("utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found, module
    git = ["git", "--no-optional-locks", "-C", str(ROOT)]
    head = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    if head.returncode:
        return found[1]
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", directory], check=False)
    return f"{found[1]} ({head.stdout.strip()}{', with changes' if changed.returncode else ''})"
