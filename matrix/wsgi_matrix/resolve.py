"""Requirements that nobody has locked: resolved on this machine, once for each content.

    build/locks/requirements-<digest>.txt   what uv found, with hashes

So an app that says `flask` is installed as one that is locked, and all cells have the same files.
A lock stays until what it was made from changes, or its file is removed.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from wsgi_matrix.engines import SetupError
from wsgi_matrix.files import write_whole
from wsgi_matrix.locks import exclusive
from wsgi_matrix.model.axes import Python
from wsgi_matrix.uv_program import uv_program

DEADLINE = 300.0
"""Seconds for resolving."""
SAID = 12
"""Lines of uv's explanation that are shown."""
INCLUDES = re.compile(
    r"^\s*(?:-r|--requirements?|-c|--constraints?)[\s=]*(\S.*?)\s*(?:\s#.*)?$", re.MULTILINE
)


def ensure_lock(
    whose: str, requirements: Path, python: Python, platform: str | None, root: Path
) -> Path:
    """The lock of ``requirements`` for ``python``, made below ``root`` if it is not there yet.

    ``requirements``: a file in pip's format, or a ``pyproject.toml``. Raises :class:`SetupError`.
    """
    digest = hashlib.sha256(repr((python.version, platform or sys.platform)).encode())
    for file in _files(whose, requirements, set()):
        digest.update(file.read_bytes() + b"\0")
    lock = root / "locks" / f"requirements-{digest.hexdigest()[:16]}.txt"
    with exclusive(lock.with_suffix(".lock")):
        if not lock.is_file():
            write_whole(lock, _resolved(whose, requirements, python, platform))
    return lock


def _files(whose: str, file: Path, seen: set[Path]) -> list[Path]:
    """``file`` and all that it includes, once each."""
    if file in seen:
        return []
    seen.add(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(f"{whose}: {file} cannot be read: {problem}") from None
    found = [file]
    for name in INCLUDES.findall(text):
        if "://" not in name:
            found += _files(whose, (file.parent / name).absolute(), seen)
    return found


def _resolved(whose: str, requirements: Path, python: Python, platform: str | None) -> str:
    command = [uv_program(), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--generate-hashes", "--only-binary", ":all:", "--python-version", python.version]
    command += ["--python-platform", platform] if platform else []
    # Where they say that packages come from belongs to the lock: it is installed from there.
    command += ["--emit-index-url", "--emit-find-links"]
    # As a path, whatever it is called: a name that begins with a hyphen is no option.
    command += ["--", str(requirements.absolute())]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE,
            check=False, cwd=requirements.parent,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"{whose}: resolving {requirements} took more than {DEADLINE:.0f} s"
        ) from None
    if done.returncode:
        said = [" ".join(line.split()) for line in done.stderr.splitlines() if line.strip()]
        raise SetupError(
            f"{whose}: {requirements} cannot be resolved for Python {python.version} (wheels only; "
            f"correct it, or another version of Python): {' '.join(said[:SAID])}"
        )
    return done.stdout
