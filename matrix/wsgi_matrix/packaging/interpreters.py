"""Finds an interpreter of a wanted version on this machine, and proves it by running it."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from wsgi_matrix.errors import SetupError
from wsgi_matrix.util import permissions
from wsgi_matrix.util.file_lock import exclusive

VENV_DEADLINE = 60.0
"""Seconds for making a virtual environment without pip."""
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
    # Without a home directory the "~" stays, and there is nothing below it.
    pyenv = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))  # noqa: PTH111
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
    candidates = list(_candidates(version))
    if os.geteuid() == 0:
        # Cells have users of their own then, and access(2) denies them what is in root's home.
        candidates.sort(
            key=lambda path: path.exists() and not permissions.searchable(path.resolve())
        )
    for path in candidates:
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


def bare(version: str, root: Path) -> Path:
    """An interpreter ``version`` that sees no packages but those that PYTHONPATH names.

    That is a virtual environment without any, made below ``root`` if it is not there yet: as bare
    as a container, whatever is installed on this machine. Raises :class:`SetupError`.
    """
    found = find(version)
    if found is None:
        raise SetupError(f"no working python{version} was found on this machine")
    path, full = found
    digest = hashlib.sha256(f"{path} {full}".encode()).hexdigest()[:16]
    folder = root / "pythons" / f"{full}-{digest}"
    with exclusive(folder.with_name(folder.name + ".lock")):
        if not (folder / "bin" / "python").exists():
            shutil.rmtree(folder, ignore_errors=True)  # the interpreter moved, or a run was killed
            command: list[str | Path] = [
                path,
                "-I",
                "-m",
                "venv",
                "--without-pip",
                "--symlinks",
                folder,
            ]
            try:
                subprocess.run(
                    command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                    timeout=VENV_DEADLINE,
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as problem:
                shutil.rmtree(folder, ignore_errors=True)
                told = getattr(problem, "stderr", "") or str(problem)
                raise SetupError(
                    f"{path} -m venv failed, and a process cell needs an interpreter without this "
                    f"machine's packages: {' '.join(str(told).split()[-40:])}"
                ) from None
    return folder / "bin" / "python"
