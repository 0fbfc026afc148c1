"""Wheels, source distributions and projects, made here: no test of requirements needs a network.

They are built by a backend of their own (PEP 517, ``backend-path``), which requires nothing.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

BACKEND = """
import pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "{name}-{version}-py3-none-any.whl"
    info = "{name}-{version}.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        for path in sorted(pathlib.Path("src").rglob("*.py")):
            archive.write(path, path.relative_to("src"))
        archive.writestr(info + "METADATA", {metadata!r})
        archive.writestr(info + "WHEEL", {tags!r})
        archive.writestr(info + "entry_points.txt", {scripts!r})
        archive.writestr(info + "RECORD", "")
    return name

build_editable = build_wheel
"""
TAGS = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def metadata(name: str, version: str, requires: tuple[str, ...] = (), python: str = "") -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {python}"] if python else []
    return "\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires), ""])


def scripts(name: str) -> str:
    """A script ``<name>ctl``, which calls ``main()`` of the module."""
    return f"[console_scripts]\n{name}ctl = {name}:main\n"


def module(name: str) -> str:
    return f"import sys\nname = {name!r}\ndef main():\n    print(name, sys.argv[1:])\n"


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    requires: tuple[str, ...] = (),
    python: str = "",
) -> Path:
    """A wheel in ``folder`` with a module and a script. ``python``: the versions that it is for."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info/"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", module(name))
        archive.writestr(info + "METADATA", metadata(name, version, requires, python))
        archive.writestr(info + "WHEEL", TAGS)
        archive.writestr(info + "entry_points.txt", scripts(name))
        archive.writestr(info + "RECORD", "")
    return path


def project(folder: Path, name: str, version: str = "1.0", requires: tuple[str, ...] = ()) -> Path:
    """A project in ``folder`` with its module below ``src/``, and an extra ``web``."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / f"{name}.py").write_text(module(name))
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {list(requires)}\n'
        f'[project.optional-dependencies]\nweb = ["webby"]\n'
        f'[project.scripts]\n{name}ctl = "{name}:main"\n'
    )
    (folder / "backend.py").write_text(
        BACKEND.format(
            name=name,
            version=version,
            metadata=metadata(name, version, requires),
            tags=TAGS,
            scripts=scripts(name),
        )
    )
    return folder


LITTER = """
import pathlib

def litter():
    for name in ("build/lib/old.py", "shop.egg-info/SOURCES.txt", "src/new.py", "here.txt"):
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("of a build")

_build_wheel = build_wheel

def build_wheel(*words, **more):
    litter()
    return _build_wheel(*words, **more)

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    litter()
    info = pathlib.Path(folder, "shop-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text({metadata!r})
    (info / "WHEEL").write_text({tags!r})
    return info.name

build_editable = build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""


def littering(folder: Path, name: str, requires: tuple[str, ...] = ()) -> Path:
    """A project whose metadata is dynamic and whose builds leave files where they run."""
    project(folder, name, requires=requires)
    text = (folder / "pyproject.toml").read_text()
    lines = [x for x in text.splitlines() if not x.startswith(("version", "dependencies"))]
    at = lines.index("[project]")
    lines.insert(at + 1, 'dynamic = ["version", "dependencies"]')
    (folder / "pyproject.toml").write_text("\n".join(lines) + "\n")
    of_litter = LITTER.format(metadata=metadata(name, "1.0", requires), tags=TAGS)
    with (folder / "backend.py").open("a") as file:
        file.write(of_litter)
    return folder


def sdist(folder: Path, source: Path, name: str, version: str = "1.0") -> Path:
    """The source distribution of a project in ``source``, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source, f"{name}-{version}")
        content = metadata(name, version).encode()
        entry = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
