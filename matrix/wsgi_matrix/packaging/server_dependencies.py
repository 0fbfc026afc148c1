"""The inputs of a server's image in addition to its directory, resolved on this host.

    build/servers/<server>-<python>-<digest>/lib/       its locked requirements, as wheels unpack
    build/servers/<server>-<python>-<digest>/sources/   its locked source distributions, as they are

Builds have no network, so both are part of the build context.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import Python, Server
from wsgi_matrix.packaging.bundle import DEADLINE, unpack
from wsgi_matrix.packaging.lockfile import Lock
from wsgi_matrix.packaging.uv import uv_program
from wsgi_matrix.util.file_lock import exclusive


def ensure_parts(server: Server, python: Python, root: Path, platform: str) -> dict[str, Path]:
    """Files by name in the build context; made below ``root`` if they do not exist yet.

    Empty for a server that needs none. Raises :class:`SetupError`.
    """
    folder = ensure_folder(server, python, root, platform)
    if folder is None:
        return {}
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def ensure_folder(server: Server, python: Python, root: Path, platform: str | None) -> Path | None:
    """The directory with ``lib/`` and ``sources/``; ``None`` for a server that needs neither.

    ``platform``: uv's name; ``None``: that of this host. Raises :class:`SetupError`.
    """
    wanted = {"lib": server.requirements, "sources": server.sources}
    locks = {part: server.context / name for part, name in wanted.items() if name}
    if not locks:
        return None
    digest = hashlib.sha256(repr((python.version, platform)).encode())
    for part, lock in locks.items():
        if not lock.is_file():
            raise SetupError(f"server {server.name}: no such file: {lock}")
        digest.update(part.encode() + lock.read_bytes())
    name = f"{server.context.name}-{python.tag}-{digest.hexdigest()[:16]}"
    folder = root / "servers" / name
    with exclusive(folder.with_name(name + ".lock")):
        if not folder.is_dir():
            _make(server, locks, python, platform, folder)
    return folder


def _make(
    server: Server, locks: dict[str, Path], python: Python, platform: str | None, folder: Path
) -> None:
    """Fill a temporary directory and rename it to ``folder``, which is thus complete or missing."""
    begun = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(begun, ignore_errors=True)  # from a killed run; this one holds the lock
        for part, lock in locks.items():
            (begun / part).mkdir(parents=True)
            if part == "lib":
                words = ["--python", sys.executable, "--python-version", python.version]
                words += ["--python-platform", platform] if platform else []
                words += ["--only-binary", ":all:"]
                whose = f"server {server.name}"
                locked = Lock(file=lock, folder=server.context, inputs=(lock,), written=(lock,))
                unpack(whose, locked, python, words, begun / part)
            else:
                _download(server, lock, begun / part)
        begun.rename(folder)
    except OSError as error:
        raise SetupError(f"server {server.name}: could not create {folder}: {error}") from error
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _download(server: Server, lock: Path, target: Path) -> None:
    """Download source distributions, by pip, because uv has no command for that."""
    names = re.findall(r"^([\w.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    command = [uv_program(), "run", "--quiet", "--no-project", "--python", sys.executable]
    command += ["--with", "pip", "python", "-m", "pip", "download", "--quiet", "--no-deps"]
    # pip runs their build for their metadata on this host; the image's build compiles them.
    command += ["--no-binary", ",".join(names), "--require-hashes"]
    command += ["--requirement", str(lock), "--dest", str(target)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE,
            check=False, cwd=target, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(f"server {server.name}: downloading {lock} took too long") from None
    if done.returncode:
        said = " ".join(done.stderr.split()[-60:])
        raise SetupError(f"server {server.name}: {lock} cannot be downloaded: {said}")
