"""Bundles: an app and everything it imports, resolved on this machine, in one folder.

    build/bundles/<app>-<python>-<digest>/app/   the app's own files
    build/bundles/<app>-<python>-<digest>/lib/   its locked requirements, as wheels unpack

Both folders go on PYTHONPATH, ``app`` first. A bundle is named by what it was made from, so an
existing one is never made again and a changed app never meets an old one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from wsgi_matrix.engines import SetupError
from wsgi_matrix.locks import exclusive
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.resolve import ensure_lock
from wsgi_matrix.uv_program import uv_program

RECIPE = "2"
"""Part of every digest; raise it when a bundle of the same inputs would come out differently."""

DEADLINE = 600.0
"""Seconds for resolving and unpacking."""

LEFT_OUT = frozenset(
    {"__pycache__", ".git", ".hg", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache"}
    | {"node_modules"}
)
"""Folders that are never part of an app. One with a ``CACHEDIR.TAG`` is none either: it may be ours
(https://bford.info/cachedir/)."""
CACHE_TAG = "CACHEDIR.TAG"
CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An app with its dependencies, complete."""

    folder: Path
    digest: str
    """Hex digest of everything that it was made from."""
    framework_version: str
    """Version of ``App.framework`` in it; empty for an app without one."""


def ensure_bundle(app: App, python: Python, root: Path, platform: str | None) -> Bundle:
    """The bundle of ``app`` for ``python``, made below ``root`` if it is not there yet.

    ``platform``: a target as uv names them (``x86_64-unknown-linux-gnu``); ``None``: this
    machine. Only wheels are taken: building from source would run the package's code on this
    machine, with this machine's compiler, and two machines would test two different things.
    Raises :class:`SetupError`.
    """
    requirements = _requirements(app)
    (root / CACHE_TAG).parent.mkdir(parents=True, exist_ok=True)
    (root / CACHE_TAG).write_text(CACHE_SIGNATURE, encoding="ascii")
    if app.resolve and requirements is not None:
        requirements = ensure_lock(f"app {app.name}", requirements, python, platform, root)
    digest = _digest(app, requirements, python, platform)
    folder = root / "bundles" / f"{app.name}-{python.tag}-{digest[:16]}"
    if not folder.is_dir():
        with exclusive(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                _make(app, requirements, python, platform, folder)
    return Bundle(folder=folder, digest=digest, framework_version=_version(app, folder / "lib"))


def files(folder: Path) -> Iterator[Path]:
    """Every file below ``folder`` that belongs to a bundle, in an order that is always the same."""
    for top, folders, names in os.walk(folder):
        if CACHE_TAG in names and top != os.fspath(folder):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            path = Path(top, name)
            # Neither a link to nothing nor a socket is part of an app.
            if not name.endswith(".pyc") and path.is_file():
                yield path


def _requirements(app: App) -> Path | None:
    """The locked requirements, or ``None`` when nothing is required."""
    if not app.path.is_dir():
        raise SetupError(f"app {app.name}: there is no folder {app.path}; correct its path")
    path = app.path / app.requirements
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        if app.framework:
            raise SetupError(
                f"app {app.name}: {path} is missing, and {app.framework} has to come from it; "
                "lock the app's requirements into that file"
            ) from None
        return None
    return (
        path if any(line.strip() and not line.lstrip().startswith("#") for line in lines) else None
    )


def _digest(app: App, requirements: Path | None, python: Python, platform: str | None) -> str:
    """What a bundle is made from, in one hash."""
    result = hashlib.sha256()
    result.update(repr((RECIPE, app.name, python.version, platform or sys.platform)).encode())
    inputs = [*files(app.path)] if requirements is None else [requirements, *files(app.path)]
    for path in inputs:
        content = path.read_bytes()
        name = os.fsencode(os.path.relpath(path, app.path))
        result.update(b"%d %s %d " % (len(name), name, len(content)))
        result.update(content)
    return result.hexdigest()


def _make(
    app: App, requirements: Path | None, python: Python, platform: str | None, folder: Path
) -> None:
    """Make ``folder`` beside its place and rename it: it is whole or not there."""
    part = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)  # of a run that was killed; we hold the lock
        (part / "app").mkdir(parents=True)
        for path in files(app.path):
            copy = part / "app" / path.relative_to(app.path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        (part / "lib").mkdir(parents=True)
        if requirements is not None:
            install(f"app {app.name}", requirements, python, platform, part / "lib")
        part.rename(folder)
    except OSError as error:
        raise SetupError(f"app {app.name}: could not make its bundle {folder}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def install(
    whose: str, requirements: Path, python: Python, platform: str | None, target: Path
) -> None:
    """Unpack locked requirements into ``target``, as wheels. Raises :class:`SetupError`."""
    command = [uv_program(), "pip", "install", "--quiet"]
    command += ["--target", str(target), "--python", sys.executable]
    command += ["--python-version", python.version]
    command += ["--python-platform", platform] if platform else []
    # Copies, because a link into uv's cache would let a later change there reach into the bundle.
    command += ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"]
    command += ["--requirements", str(requirements)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"{whose}: resolving {requirements} took more than {DEADLINE:.0f} s"
        ) from None
    if done.returncode:
        said = " ".join(done.stderr.split()[-60:])
        raise SetupError(
            f"{whose}: {requirements} cannot be installed for Python {python.version} "
            f"(wheels with matching hashes only; lock it again if it is out of date): {said}"
        )


def _version(app: App, lib: Path) -> str:
    """The installed version of the app's framework, from its metadata."""
    if not app.framework:
        return ""
    wanted = _normalised(app.framework)
    for distribution in distributions(path=[str(lib)]):
        if _normalised(distribution.metadata["Name"]) == wanted:
            return distribution.version
    raise SetupError(
        f"app {app.name}: its requirements do not bring {app.framework}; "
        f"correct `framework` in the matrix or {app.requirements} of the app"
    )


def _normalised(name: str) -> str:
    """A distribution's name for comparison (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
