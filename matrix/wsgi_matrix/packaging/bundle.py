"""Bundles: an app and everything it imports, resolved on this host, in separate directories.

    build/bundles/<app>-<python>-<digest>/app/   the app's own files
    build/bundles/<app>-<python>-<digest>/own/   projects that are built here, itself for one
    build/libs/<python>-<digest>/                its locked requirements, as wheels unpack

All of them are on PYTHONPATH, in this order. Names contain a digest of the inputs, so an existing
one is never made again, and a changed app never gets an old one; a change in the app's source does
not affect its requirements.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from wsgi_matrix.errors import SetupError
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.packaging import interpreters, lockfile, project_copy, uv
from wsgi_matrix.packaging.lockfile import Lock
from wsgi_matrix.packaging.project_copy import CACHE_TAG
from wsgi_matrix.packaging.uv_error_locations import normalised
from wsgi_matrix.util.file_lock import exclusive, shared

RECIPE = "3"
"""Part of every digest; increase it when the same inputs would give a different bundle."""

DEADLINE = 600.0
"""Seconds to resolve and unpack."""

LEFT_OUT = project_copy.LEFT_OUT | {".git", ".hg", ".venv", "venv", "node_modules"}
"""Directories that are never part of an app. One with a ``CACHEDIR.TAG`` is not either; it may be
wsgi-matrix's own."""
CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"


PARTS = ("bundles", "libs", "servers", "pythons", "locks")
"""Directories of the cache."""
IN_USE = "in-use.lock"
SHEBANG = re.compile(rb"\A#!(?:/bin/sh\n'''exec' .*\n' '''|[^\n]*python[^\n]*)\n")
"""The first lines of a script made by an installer, with the interpreter at that time. A path that
the kernel cannot execute is passed to a shell, in three lines."""
ANY_PYTHON = b"#!/usr/bin/env python3\n"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An app with its dependencies, complete."""

    folder: Path
    """The directory with ``app`` and ``own``."""
    lib: Path
    digest: str
    """Hex digest of all inputs."""
    framework_version: str
    """Version of ``App.framework`` in it; empty for an app without one."""

    @property
    def app(self) -> Path:
        """The app's own files."""
        return self.folder / "app"

    @property
    def own(self) -> Path:
        """Projects that were built for it on this host."""
        return self.folder / "own"

    @property
    def paths(self) -> tuple[Path, ...]:
        """Directories for PYTHONPATH, in this order."""
        return (self.app, self.own, self.lib)

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the distributions installed in it, by name."""
        return {
            name: each.version
            for each in distributions(path=[str(self.own), str(self.lib)])
            if (name := normalised(each.name or ""))
        }

    @property
    def scripts(self) -> tuple[Path, ...]:
        """Directories for PATH, in this order."""
        return (self.own / "bin", self.lib / "bin")


def ensure_bundle(app: App, python: Python, root: Path, platform: str | None) -> Bundle:
    """The bundle of ``app`` for ``python``, made below ``root`` if it does not exist yet.

    ``platform``: uv's name of a target (``x86_64-unknown-linux-gnu``); ``None``: this host. Only
    wheels are used, unless the app allows more: building from source runs the package's code on
    this host, with its compiler, so that two hosts would test two different things. Raises
    :class:`SetupError`.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / CACHE_TAG).write_text(CACHE_SIGNATURE, encoding="ascii")
    lock = _requirements(app, python, platform, root)
    made_for = repr((RECIPE, python.version, platform or sys.platform, app.sdists))
    of_lib = hashlib.sha256(made_for.encode())
    for file in lock.inputs if lock else ():
        of_lib.update(file.read_bytes() + b"\0")
    lib = root / "libs" / f"{python.tag}-{of_lib.hexdigest()[:16]}"

    def fill_lib(part: Path) -> None:
        if lock is not None:
            words = lockfile.wheels(app, python, platform)
            unpack(f"app {app.name}", lock, python, words, part)

    ensure_folder(f"app {app.name}", lib, fill_lib)
    digest = _digest(app, lock, (made_for, app.name, app.target, of_lib.hexdigest()))
    folder = root / "bundles" / f"{app.name}-{python.tag}-{digest[:16]}"

    def fill(part: Path) -> None:
        _copy(app.path, part / "app")
        (part / "own").mkdir()
        if app_import_string.is_factory(app.target):
            (part / "own" / f"{app_import_string.FACTORY}.py").write_text(
                app_import_string.source(app.target)
            )
        if lock is not None and lock.projects:
            _build(app, lock, python, part / "own", part / "sources")

    ensure_folder(f"app {app.name}", folder, fill)
    return Bundle(folder=folder, lib=lib, digest=digest, framework_version=_version(app, lib))


def in_use(root: Path) -> AbstractContextManager[None]:
    """A context in which ``clean --cache`` removes nothing below ``root``."""
    return shared(root / IN_USE)


def remove_all(root: Path) -> int:
    """Remove the cache below ``root``; return the number of octets.

    A directory that is a link, to another disk for example, is emptied but not removed. Raises
    :class:`BlockingIOError` while a run uses it, and ``OSError`` for what cannot be removed.
    """
    octets = 0
    with exclusive(root / IN_USE, wait=False):
        for part in PARTS:
            folder = root / part
            for path in folder.iterdir() if folder.is_dir() else ():
                octets += _octets(path)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            if folder.is_dir() and not folder.is_symlink():
                with contextlib.suppress(OSError):  # another run waits for a lock there
                    folder.rmdir()
    return octets


def _octets(path: Path) -> int:
    """Octets of ``path`` and all files below it, without directories themselves."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_blocks * 512
    return sum(_octets(each) for each in path.iterdir())


def files(folder: Path) -> Iterator[Path]:
    """Every file below ``folder`` that belongs to a bundle, in a fixed order."""
    for top, folders, names in os.walk(folder):
        if CACHE_TAG in names and top != os.fspath(folder):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            path = Path(top, name)
            # Dangling links and sockets are not part of an app.
            if not name.endswith(".pyc") and path.is_file():
                yield path


def _requirements(app: App, python: Python, platform: str | None, root: Path) -> Lock | None:
    """The locked requirements, or ``None`` if there are none."""
    if not app.path.is_dir():
        raise SetupError(f"app {app.name}: no such directory: {app.path}; correct its path")
    path: Path | None = app.path / app.requirements
    if app.resolve:
        path, _ = lockfile.chosen(app.path, app.requirements)
    if path is None or not path.is_file():
        if app.framework:
            raise SetupError(
                f"app {app.name}: {app.path / app.requirements} is missing, but must contain "
                f"{app.framework}; lock the app's requirements into that file"
            )
        return None
    if app.resolve:
        return lockfile.locked(app, path, python, platform, root)
    lines = path.read_text(encoding="utf-8").splitlines()
    if any(line.strip() and not line.lstrip().startswith("#") for line in lines):
        return Lock(file=path, folder=path.parent, inputs=(path,), written=(path,))
    return None


def _digest(app: App, lock: Lock | None, made_for: tuple[str, ...]) -> str:
    """A hash of all inputs of a bundle."""
    result = hashlib.sha256(repr(made_for).encode())
    projects = [Path(each) for each in (lock.projects if lock else ()) if Path(each).is_dir()]
    for folder in (app.path, *(each for each in projects if each != app.path)):
        for path in files(folder):
            content = path.read_bytes()
            name = os.fsencode(os.path.relpath(path, app.path))
            result.update(b"%d %s %d %d " % (len(name), name, kept_mode(path), len(content)))
            result.update(content)
    return result.hexdigest()


def kept_mode(path: Path) -> int:
    """The preserved part of a file's mode: readable by all, and executable."""
    mode = path.stat().st_mode
    kept = 0o644 if mode & stat.S_IROTH else 0o600
    return kept | (kept >> 2 & 0o111) if mode & stat.S_IXUSR else kept


def _copy(source: Path, target: Path) -> None:
    """Copy the files of an app with their modes."""
    target.mkdir(parents=True)
    for path in files(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # A private file must not be readable even for a moment.
        with path.open("rb") as read, open(copy, "wb", opener=_private) as written:
            shutil.copyfileobj(read, written)
        copy.chmod(kept_mode(path))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def ensure_folder(whose: str, folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a temporary directory and rename it to ``folder``, which is thus complete or missing."""
    if folder.is_dir():
        return
    with exclusive(folder.with_name(folder.name + ".lock")):
        if folder.is_dir():
            return
        part = folder.with_name(folder.name + ".part")
        try:
            shutil.rmtree(part, ignore_errors=True)  # from a killed run; this one holds the lock
            part.mkdir(parents=True)
            fill(part)
            part.chmod(0o755)
            part.rename(folder)
        except OSError as error:
            raise SetupError(f"{whose}: could not create {folder}: {error}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)


def unpack(whose: str, lock: Lock, python: Python, words: Sequence[str], target: Path) -> None:
    """Unpack the distributions of ``lock`` into ``target``. ``words``: options for uv.

    Raises :class:`SetupError`, which names the user's files, not those derived from them.
    """
    command = ["pip", "install", "--quiet", "--target", str(target), *words]
    # Copies, because with links, later changes in uv's cache would change the bundle.
    command += ["--require-hashes", "--link-mode", "copy", "--requirements", str(lock.file)]
    written = lock.written[0]
    advice = "lock it again if it is outdated"
    if lock.resolved:
        advice = f"if files have changed since locking, remove {lock.file}"
    uv.run(
        command,
        f"{whose}: {written} cannot be installed for Python {python.version} (with matching hashes "
        "only)",
        deadline=DEADLINE,
        folder=lock.folder,
        advice=advice,
        files=lock.written,
        known_as={str(lock.file): str(written), lock.file.name: written.name},
    )
    _make_runnable(target)


def _build(app: App, lock: Lock, python: Python, target: Path, scratch: Path) -> None:
    """Build projects and install them into ``target``, without their dependencies.

    They are built from copies below ``scratch``, which is removed, so projects do not change.
    """
    foreign = [each for each in lock.projects if not Path(each).is_dir()]
    if foreign and not app.sdists:
        raise SetupError(
            f"app {app.name}: {foreign[0]} must be built on this host, which runs its code; "
            "--sdists allows that"
        )
    found = interpreters.find(python.version)
    command = ["pip", "install", "--quiet", "--target", str(target), "--no-deps"]
    command += ["--python", str(found[0] if found else sys.executable)]
    command += ["--python-version", python.version, "--link-mode", "copy", *lock.options]
    sources: list[str] = []
    known_as: dict[str, str] = {}
    scratch.mkdir(mode=0o700)
    for number, project in enumerate(lock.projects):
        if Path(project).is_dir():
            # A new path each time, because uv caches builds by path.
            (folder := scratch / f"{number}-{secrets.token_hex(4)}").mkdir()
            copied = project_copy.copy(Path(project), folder)
            known_as |= project_copy.names(Path(project), copied)
            # As a URL, because parts of a path could be taken for a marker or an extra.
            sources.append(copied.as_uri())
        else:
            sources.append(project)
    names = ", ".join(lock.projects)
    uv.run(
        [*command, "--", *sources],
        f"app {app.name}: {names} cannot be built for Python {python.version}",
        deadline=DEADLINE,
        folder=lock.folder,
        advice="use --requirements with a file that does not require it",
        known_as=known_as,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    for origin in target.glob("*.dist-info/direct_url.json"):  # PEP 610
        text = origin.read_text(encoding="utf-8")
        for of_copy, of_project in known_as.items():
            text = text.replace(of_copy, of_project)
        origin.write_text(text, encoding="utf-8")
    _make_runnable(target)


def _make_runnable(folder: Path) -> None:
    """Make the scripts in ``bin`` of ``folder`` use the first Python on PATH."""
    for script in (folder / "bin").glob("*"):
        if script.is_file() and (found := SHEBANG.match(content := script.read_bytes())):
            script.write_bytes(ANY_PYTHON + content[found.end() :])


def _version(app: App, lib: Path) -> str:
    """The installed version of the app's framework, from its metadata."""
    if not app.framework:
        return ""
    wanted = normalised(app.framework)
    for distribution in distributions(path=[str(lib)]):
        if normalised(distribution.metadata["Name"]) == wanted:
            return distribution.version
    raise SetupError(
        f"app {app.name}: its requirements do not include {app.framework}; "
        f"correct `framework` in the matrix or {app.requirements} of the app"
    )
