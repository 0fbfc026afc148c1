"""``.ci/dist``: what it refuses to release. What it accepts, `make dist` shows by building it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
VERSIONS = {"onegate": "1.2.0", "wsgi-matrix": "0.9.0"}


@pytest.fixture
def dist() -> ModuleType:
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("dist", str(ROOT / ".ci" / "dist"))
    spec = importlib.util.spec_from_loader("dist", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def repository(dist: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two sources, of which onegate 1.2.0 is ready to be released."""
    (tmp_path / "LICENSE").write_text("as you like")
    for source in dist.SOURCES.values():
        (tmp_path / source).mkdir()
        for part in dist.PARTS:
            (tmp_path / source / part).write_text(f"{part} of {source}")
    changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-30\n\n## [1.1.0] - soon\n"
    (tmp_path / "server" / "CHANGELOG.md").write_text(changelog)
    monkeypatch.setattr(dist, "ROOT", tmp_path)
    return tmp_path


def packed(sdist: Path, source: Path, names: tuple[str, ...]) -> Path:
    """Make an sdist of these files of ``source``."""
    with tarfile.open(sdist, "w:gz") as archive:
        for name in names:
            content = (source / name).read_bytes()
            entry = tarfile.TarInfo(f"{sdist.name.removesuffix('.tar.gz')}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return sdist


@pytest.mark.usefixtures("repository")
def test_a_tag_with_its_version_and_a_dated_section(dist: ModuleType) -> None:
    dist.check_tag("onegate-v1.2.0", VERSIONS)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("tag", "versions", "message"),
    [
        ("v1.2.0", VERSIONS, "tag v1.2.0: expected onegate-vX.Y.Z or wsgi-matrix-vX.Y.Z"),
        ("onegate-v1.2.1", VERSIONS, "tag onegate-v1.2.1: the version of onegate is 1.2.0"),
        ("wsgi-matrix-v1.2.0", VERSIONS, "the version of wsgi-matrix is 0.9.0"),
        ("wsgi-matrix-v0.9.0", VERSIONS, r"matrix/CHANGELOG.md: no section '## \[0.9.0\] - YYYY"),
        ("onegate-v1.1.0", {"onegate": "1.1.0"}, r"no section '## \[1.1.0\] - YYYY-MM-DD'"),
    ],
    ids=["neither", "other version", "of the other", "no section", "no date"],
)
def test_a_tag_that_is_not_released(
    dist: ModuleType, tag: str, versions: dict[str, str], message: str
) -> None:
    with pytest.raises(dist.DistError, match=message):
        dist.check_tag(tag, versions)


def test_an_sdist_has_readme_changelog_and_licence(dist: ModuleType, repository: Path) -> None:
    source = repository / "server"
    whole = packed(repository / "onegate-1.2.0.tar.gz", source, dist.PARTS)
    dist.check_sdist(whole, source)
    (source / "README.md").write_text("newer")
    with pytest.raises(dist.DistError, match=r"README.md is missing, or not that of"):
        dist.check_sdist(whole, source)
    part = packed(repository / "onegate-1.2.1.tar.gz", source, ("README.md", "LICENSE"))
    with pytest.raises(dist.DistError, match=r"onegate-1.2.1.tar.gz: CHANGELOG.md is missing"):
        dist.check_sdist(part, source)


def test_each_source_has_the_licence_of_the_repository(
    dist: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for source in dist.SOURCES.values():
        dist.check_licence(ROOT / source)
    (tmp_path / "LICENSE").write_text("as you like")
    monkeypatch.setattr(dist, "ROOT", tmp_path)
    with pytest.raises(dist.DistError, match="server/LICENSE differs from"):
        dist.check_licence(ROOT / "server")


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo onegate 1.1.0", "onegate --version printed 'onegate 1.1.0'"),
        ("echo cannot import it; exit 3", "--version: exit status 3\ncannot import it"),
        ("[ $1 = --version ] && echo onegate 1.2.0", "--check-config app:app: exit status 1"),
        ("[ $2 = --bind ] || echo onegate 1.2.0", "onegate ended before it listened"),
    ],
    ids=["other version", "no version", "cannot load", "cannot serve"],
)
def test_an_installed_command_that_does_not_work(
    dist: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, message: str
) -> None:
    command = tmp_path / "onegate"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setattr(dist, "install", lambda file, folder: tmp_path)
    with pytest.raises(dist.DistError, match=message):
        dist.check_use("onegate", "1.2.0", Path("onegate-1.2.0.tar.gz"))


def test_the_tag_of_a_release_is_checked() -> None:
    """By `make dist`, to which the workflow gives the pushed tag; a shell must not read it."""
    for words, wanted in (["dist"], ""), (["dist", "TAG=onegate-v1;id"], '--tag "$TAG"'):
        run = subprocess.run(
            ["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        (line,) = (line for line in run.stdout.splitlines() if "tox run" in line)
        assert line.partition(" -- ")[2] == wanted
