"""Bundles: an app and everything it imports, resolved on this machine, in folders of their own.

    build/bundles/<app>-<python>-<digest>/app/   the app's own files
    build/bundles/<app>-<python>-<digest>/own/   projects that are built here, itself for one
    build/libs/<python>-<digest>/                its locked requirements, as wheels unpack

All of them go on PYTHONPATH, in this order. Each is named by what it was made from, so an existing
one is never made again and a changed app never meets an old one; a change in the app's source
leaves its requirements where they are.
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
"""Part of every digest; raise it when a bundle of the same inputs would come out differently."""

DEADLINE = 600.0
"""Seconds for resolving and unpacking."""

LEFT_OUT = project_copy.LEFT_OUT | {".git", ".hg", ".venv", "venv", "node_modules"}
"""Folders that are never part of an app. One with a ``CACHEDIR.TAG`` is none either: it may be
ours."""
CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"


PARTS = ("bundles", "libs", "servers", "pythons", "locks")
"""Folders below the root of what is made once and kept."""
IN_USE = "in-use.lock"
SHEBANG = re.compile(rb"\A#!(?:/bin/sh\n'''exec' .*\n' '''|[^\n]*python[^\n]*)\n")
"""Of a script that an installer made: it names the interpreter that was there then. A path that the
kernel cannot take is given to a shell, in three lines."""
ANY_PYTHON = b"#!/usr/bin/env python3\n"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An app with its dependencies, complete."""

    folder: Path
    """With ``app`` and ``own``."""
    lib: Path
    digest: str
    """Hex digest of everything that it was made from."""
    framework_version: str
    """Version of ``App.framework`` in it; empty for an app without one."""

    @property
    def app(self) -> Path:
        """The app's own files."""
        return self.folder / "app"

    @property
    def own(self) -> Path:
        """Projects that were built for it on this machine."""
        return self.folder / "own"

    @property
    def paths(self) -> tuple[Path, ...]:
        """For PYTHONPATH, in this order."""
        return (self.app, self.own, self.lib)

    @property
    def versions(self) -> dict[str, str]:
        """The version of each distribution that is installed in it, by name."""
        return {
            name: each.version
            for each in distributions(path=[str(self.own), str(self.lib)])
            if (name := normalised(each.name or ""))
        }

    @property
    def scripts(self) -> tuple[Path, ...]:
        """For PATH, in this order."""
        return (self.own / "bin", self.lib / "bin")


def ensure_bundle(app: App, python: Python, root: Path, platform: str | None) -> Bundle:
    """The bundle of ``app`` for ``python``, made below ``root`` if it is not there yet.

    ``platform``: a target as uv names them (``x86_64-unknown-linux-gnu``); ``None``: this
    machine. Only wheels are taken, unless the app says otherwise: building from source runs the
    package's code on this machine, with this machine's compiler, and two machines would test two
    different things. Raises :class:`SetupError`.
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
    """Within it nothing below ``root`` is removed by ``clean --cache``."""
    return shared(root / IN_USE)


def remove_all(root: Path) -> int:
    """Remove all that is made once and kept below ``root``; how many octets that were.

    A part that is a link to another disk, say, is emptied and stays. Raises
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
                with contextlib.suppress(OSError):  # another run begins, and waits for a lock there
                    folder.rmdir()
    return octets


def _octets(path: Path) -> int:
    """What ``path`` and all below it take of the disk, folders themselves left out."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_blocks * 512
    return sum(_octets(each) for each in path.iterdir())


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


def _requirements(app: App, python: Python, platform: str | None, root: Path) -> Lock | None:
    """The locked requirements, or ``None`` when nothing is required."""
    if not app.path.is_dir():
        raise SetupError(f"app {app.name}: there is no folder {app.path}; correct its path")
    path: Path | None = app.path / app.requirements
    if app.resolve:
        path, _ = lockfile.chosen(app.path, app.requirements)
    if path is None or not path.is_file():
        if app.framework:
            raise SetupError(
                f"app {app.name}: {app.path / app.requirements} is missing, and {app.framework} "
                "has to come from it; lock the app's requirements into that file"
            )
        return None
    if app.resolve:
        return lockfile.locked(app, path, python, platform, root)
    lines = path.read_text(encoding="utf-8").splitlines()
    if any(line.strip() and not line.lstrip().startswith("#") for line in lines):
        return Lock(file=path, folder=path.parent, inputs=(path,), written=(path,))
    return None


def _digest(app: App, lock: Lock | None, made_for: tuple[str, ...]) -> str:
    """What a bundle is made from, in one hash."""
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
    """What of a file's mode is kept: whether all may read it, and whether it can be executed."""
    mode = path.stat().st_mode
    kept = 0o644 if mode & stat.S_IROTH else 0o600
    return kept | (kept >> 2 & 0o111) if mode & stat.S_IXUSR else kept


def _copy(source: Path, target: Path) -> None:
    """Copy the files of an app with their modes."""
    target.mkdir(parents=True)
    for path in files(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Not even for a moment is one readable that must not be.
        with path.open("rb") as read, open(copy, "wb", opener=_private) as written:
            shutil.copyfileobj(read, written)
        copy.chmod(kept_mode(path))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def ensure_folder(whose: str, folder: Path, fill: Callable[[Path], None]) -> None:
    """Have ``folder`` filled beside its place and rename it: it is whole or not there."""
    if folder.is_dir():
        return
    with exclusive(folder.with_name(folder.name + ".lock")):
        if folder.is_dir():
            return
        part = folder.with_name(folder.name + ".part")
        try:
            shutil.rmtree(part, ignore_errors=True)  # of a run that was killed; we hold the lock
            part.mkdir(parents=True)
            fill(part)
            part.chmod(0o755)
            part.rename(folder)
        except OSError as error:
            raise SetupError(f"{whose}: could not make {folder}: {error}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)


def unpack(whose: str, lock: Lock, python: Python, words: Sequence[str], target: Path) -> None:
    """Unpack what ``lock`` names into ``target``. ``words``: for uv, on what is taken.

    Raises :class:`SetupError`, which names what people wrote and not what we made of it.
    """
    command = ["pip", "install", "--quiet", "--target", str(target), *words]
    # Copies, because a link into uv's cache would let a later change there reach into the bundle.
    command += ["--require-hashes", "--link-mode", "copy", "--requirements", str(lock.file)]
    written = lock.written[0]
    advice = "lock it again if it is out of date"
    if lock.resolved:
        advice = f"if files have changed since they were locked, remove {lock.file}"
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

    In copies below ``scratch``, which is gone afterwards: nothing is left in a project.
    """
    foreign = [each for each in lock.projects if not Path(each).is_dir()]
    if foreign and not app.sdists:
        raise SetupError(
            f"app {app.name}: {foreign[0]} has to be built on this machine, which runs its code "
            "here: --sdists allows that"
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
            # Anew each time, for uv remembers what it has built by its path.
            (folder := scratch / f"{number}-{secrets.token_hex(4)}").mkdir()
            copied = project_copy.copy(Path(project), folder)
            known_as |= project_copy.names(Path(project), copied)
            # As a URL: what is a marker or an extra in a path would be taken for that.
            sources.append(copied.as_uri())
        else:
            sources.append(project)
    names = ", ".join(lock.projects)
    uv.run(
        [*command, "--", *sources],
        f"app {app.name}: {names} cannot be built for Python {python.version}",
        deadline=DEADLINE,
        folder=lock.folder,
        advice="--requirements names a file that does not ask for it",
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
    """Let the scripts in ``bin`` of ``folder`` run with the Python that is first on PATH."""
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
        f"app {app.name}: its requirements do not bring {app.framework}; "
        f"correct `framework` in the matrix or {app.requirements} of the app"
    )
