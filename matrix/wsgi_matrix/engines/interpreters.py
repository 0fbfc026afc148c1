"""Finds an interpreter of a wanted version on this machine, and proves it by running it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ASK = "import sys; print('%d.%d' % sys.version_info[:2], sys.version.split()[0])"
_DEADLINE = 20.0


def _candidates(version: str) -> Iterator[Path]:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        # Not the virtual environment that we run in: its packages are none of the cell's.
        yield Path(getattr(sys, "_base_executable", "") or sys.executable)
    name = f"python{version}"
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # Its shims refuse to run what is not the active version, so look behind them, newest first.
    folders = pyenv.glob(f"versions/{version}.*")
    for version_folder in sorted(folders, key=lambda path: _numbers(path.name), reverse=True):
        yield version_folder / "bin" / name
    yield Path("/usr/local/bin", name)
    yield Path("/usr/bin", name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@functools.cache
def find(version: str) -> tuple[Path, str] | None:
    """Path and full version (``3.11.7``) of a Python ``version`` that really runs, or ``None``."""
    for path in _candidates(version):
        try:
            told = subprocess.run(
                [path, "-I", "-S", "-c", _ASK],
                capture_output=True,
                text=True,
                timeout=_DEADLINE,
                check=True,
            ).stdout.split()
        except (OSError, subprocess.SubprocessError):
            continue  # missing or a broken shim: try the next
        if told and told[0] == version:
            return path, told[1]
    return None
