"""Finds an interpreter of a given version on this host, and verifies it by running it."""

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
"""Seconds to make a virtual environment without pip."""
_ASK = "import sys; print('%d.%d' % sys.version_info[:2], sys.version.split()[0])"
_DEADLINE = 20.0


def _candidates(version: str) -> Iterator[Path]:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        # Not the virtual environment of this process, whose packages are not the cell's.
        yield Path(getattr(sys, "_base_executable", "") or sys.executable)
    name = f"python{version}"
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield Path(found)
    # Without a home directory, "~" is not expanded, and nothing is found.
    pyenv = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))  # noqa: PTH111
    # Its shims only run the active version, so search its versions directly, newest first.
    folders = pyenv.glob(f"versions/{version}.*")
    for version_folder in sorted(folders, key=lambda path: _numbers(path.name), reverse=True):
        yield version_folder / "bin" / name
    yield Path("/usr/local/bin", name)
    yield Path("/usr/bin", name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@functools.cache
def find(version: str) -> tuple[Path, str] | None:
    """Path and full version (``3.11.7``) of a working Python ``version``, or ``None``."""
    candidates = list(_candidates(version))
    if os.geteuid() == 0:
        # Cells then have their own users, which access(2) denies files in root's home.
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
            continue  # missing, or a broken shim
        if told and told[0] == version:
            return path, told[1]
    return None


def bare(version: str, root: Path) -> Path:
    """An interpreter ``version`` without packages, except those on PYTHONPATH.

    It is a virtual environment, made below ``root`` if it does not exist yet: as bare as a
    container, whatever is installed on this host. Raises :class:`SetupError`.
    """
    found = find(version)
    if found is None:
        raise SetupError(f"no working python{version} was found on this host")
    path, full = found
    digest = hashlib.sha256(f"{path} {full}".encode()).hexdigest()[:16]
    folder = root / "pythons" / f"{full}-{digest}"
    with exclusive(folder.with_name(folder.name + ".lock")):
        if not (folder / "bin" / "python").exists():
            shutil.rmtree(folder, ignore_errors=True)  # moved, or a run was killed
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
                    f"host's packages: {' '.join(str(told).split()[-40:])}"
                ) from None
    return folder / "bin" / "python"
