"""Base images: a Python and little else, found, pulled, or built from Debian packages."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException

from wsgi_matrix.engines.docker.client import CONTENT, LABEL, connect, inspect_image
from wsgi_matrix.errors import EngineError, SetupError
from wsgi_matrix.model.axes import Python
from wsgi_matrix.util.file_lock import exclusive

PULL_TIMEOUT = 20
"""Seconds without data from the registry after which it is considered unreachable."""

MAKE_DEADLINE = 900
"""Seconds for mmdebstrap; it takes about 10 with a nearby mirror."""

PACKAGES = ("base-files", "dash", "coreutils", "findutils", "libstdc++6", "tzdata")
"""In addition to Python. The same as in python:3.x-slim as far as apps are concerned: wheels need
the C++ library, and zoneinfo the time zones."""

EPOCH = "315532800"
"""Timestamp of every file of a base, through SOURCE_DATE_EPOCH (reproducible-builds.org): the first
second of 1980, the earliest in ZIP archives. The same packages give the same octets."""

APT = 'Acquire::Check-Valid-Until "false"'
"""A mirror of an unreleased suite may lag behind its Release file; its packages are still signed.
"""

# The packages are only unpacked, since their maintainer scripts would need a complete Debian. This
# does what is needed of those scripts.
TIDY = """set -e; cd "$1"
mkdir -p srv mnt opt
ln -sf python{version} usr/bin/python3
echo root:x:0:0:root:/root:/bin/sh >etc/passwd
echo root:x:0: >etc/group
rm -rf etc/hostname etc/resolv.conf usr/share/man usr/share/locale usr/share/info usr/share/lintian
find usr/share/doc -mindepth 2 ! -type d ! -name copyright -delete"""
COMPILE = """set -e
chroot "$1" python3 -m compileall -q --invalidation-mode unchecked-hash /usr/lib/python{version}
"""

ARCHITECTURES = {"amd64": "amd64", "x86_64": "amd64", "arm64": "arm64", "aarch64": "arm64"}
"""Debian's names by the engine's, where they differ."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """A base image in the engine."""

    reference: str
    """The name to build on."""
    id: str
    architecture: str
    """Docker's name, such as ``amd64``."""
    source: str
    """For reports: the image's name, or ``debian:bookworm``."""


def ensure_base(
    client: docker.APIClient,
    python: Python,
    phase: Callable[[str, str], None],
    root: Path,
    packages: tuple[str, ...] | None = None,
) -> Base:
    """The base image for ``python``, pulled or built if the engine does not have it yet.

    In this order: one of ``python.images`` that exists; one built earlier; one that can be pulled;
    one built now from the packages of ``python.debian``. With ``packages`` of Debian it is always
    built, with these in addition. Raises :class:`SetupError`.
    """
    recipe = _recipe(client, python, packages or ())
    made = f"wsgi-matrix-base:{python.tag}-{recipe}"
    if packages is not None:
        python = replace(python, images=())
    with exclusive(root / "locks" / f"base-{python.tag}-{recipe}.lock"):
        for name in (*python.images, made):
            if (found := inspect_image(client, name)) is not None:
                return _base(found, name, python, made)
        for name in python.images:
            phase("images", f"pulling {name}")
            if pull(name) and (found := inspect_image(client, name)) is not None:
                return _base(found, name, python, made)
        if not python.debian:
            raise SetupError(
                f"{_none(python)}; pull one, or set `debian` to the release to build one from"
            )
        what = f"building a base for Python {python.version} from Debian {python.debian}"
        phase("images", f"{what} with {' '.join(packages)}" if packages else what)
        _make(client, python, made, root, packages or ())
        found = inspect_image(client, made)
        if found is None:
            raise SetupError(f"the engine has lost the image {made} that it imported")
        return _base(found, made, python, made)


def _base(found: dict[str, Any], name: str, python: Python, made: str) -> Base:
    return Base(
        reference=name,
        id=found["Id"],
        architecture=found["Architecture"],
        source=f"debian:{python.debian}" if name == made else name,
    )


def _none(python: Python) -> str:
    names = ", ".join(python.images) or "(none specified)"
    return f"Python {python.version}: none of the images {names} exists locally or can be pulled"


_unreachable: set[str] = set()


def pull(name: str) -> bool:
    """Try to pull ``name``; a pull that failed is not tried again by this process."""
    if name in _unreachable:
        return False
    repository, _, tag = name.partition("@") if "@" in name else name.rpartition(":")
    try:
        client = connect(timeout=PULL_TIMEOUT)
        for line in client.pull(repository or name, tag=tag or None, stream=True, decode=True):
            if "error" in line:
                raise DockerException(line["error"])
    # A read timeout is an OSError of the HTTP library, not one of the SDK's errors.
    except (DockerException, EngineError, OSError):
        _unreachable.add(name)
        return False
    return True


@functools.cache
def _architecture(client: docker.APIClient) -> str:
    name = str(client.version().get("Arch", ""))
    return ARCHITECTURES.get(name, name)


def _recipe(client: docker.APIClient, python: Python, packages: tuple[str, ...]) -> str:
    """A short hash of everything that a built base is made from."""
    recipe = (_architecture(client), *_arguments(python, packages), EPOCH)
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]


def _arguments(python: Python, packages: tuple[str, ...]) -> list[str]:
    """The arguments of mmdebstrap, except for the architecture and the output file."""
    include = ",".join((f"python{python.version}", *PACKAGES, *packages))
    hooks = [each.format(version=python.version) for each in (TIDY, COMPILE)]
    return [
        "--quiet",
        "--variant=extract",
        "--format=tar",
        f"--aptopt={APT}",
        f"--include={include}",
        *(f"--extract-hook={hook}" for hook in hooks),
        python.debian,
    ]


def make_archive(
    python: Python, packages: tuple[str, ...], architecture: str, archive: Path
) -> None:
    """Unpack packages of ``python.debian`` into a root file system, as a tar file.

    The same packages give the same octets. Raises :class:`SetupError`.
    """
    program = shutil.which("mmdebstrap")
    if program is None:
        raise SetupError(
            f"{_none(python)}, and mmdebstrap, which builds one from Debian packages, is not "
            "installed; run `make engine` as root on Debian or Ubuntu, or pull an image"
        )
    command = [program, f"--architectures={architecture}", *_arguments(python, packages)]
    try:
        done = subprocess.run(
            [*command, str(archive)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, timeout=MAKE_DEADLINE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"mmdebstrap did not finish Debian {python.debian} within {MAKE_DEADLINE} s; "
            "is a Debian mirror reachable?"
        ) from None
    if done.returncode:
        said = " ".join(done.stderr.splitlines()[-5:])
        raise SetupError(f"mmdebstrap could not build Debian {python.debian}: {said}")


def _make(
    client: docker.APIClient, python: Python, name: str, root: Path, packages: tuple[str, ...]
) -> None:
    """Build a root file system from Debian packages and import it as the image ``name``."""
    archive = root / "base" / f"{name.rpartition(':')[2]}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        make_archive(python, packages, _architecture(client), archive)
        changes = ['CMD ["python3"]', f"LABEL {LABEL}=base {CONTENT}={name.rpartition('-')[2]}"]
        repository, _, tag = name.partition(":")
        said = client.import_image_from_file(str(archive), changes=changes)
        # Named in a second step, because Podman imports everything as "latest".
        client.tag(_digest(said), repository, tag)
    except (KeyError, ValueError) as error:
        raise SetupError(f"the engine did not report what it imported: {said}") from error
    except APIError as error:
        raise SetupError(f"the engine could not import the base {name}: {error}") from error
    finally:
        archive.unlink(missing_ok=True)


def _digest(said: str) -> str:
    """The image of an import: the last message of the engine, in JSON lines."""
    return str(json.loads(said.strip().splitlines()[-1])["status"])
