"""Builds of onegate: found where they may be, copied whole, and told apart."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from bench.model import BASELINE, ONEGATE, PURE
from bench.process import ROOT
from bench.tools import Builds, ToolError, copy_onegate, is_compiled, package_of

VERSION = '__version__ = "1.2.3"\n'


def build(place: Path, *, compiled: bool = False) -> Path:
    """A build of onegate at ``place``: one module, compiled or not."""
    (place / "onegate/http1").mkdir(parents=True)
    (place / "onegate/__init__.py").write_text("")
    (place / "onegate/_version.py").write_text(VERSION)
    (place / "onegate/http1/grammar.py").write_text("")
    if compiled:
        (place / "onegate/http1/grammar.cpython-311-x86_64-linux-gnu.so").write_bytes(b"elf")
        (place / "0123__mypyc.cpython-311-x86_64-linux-gnu.so").write_bytes(b"elf")
    (place / "other.cpython-311-x86_64-linux-gnu.so").write_bytes(b"of another distribution")
    return place


def files(place: Path) -> set[str]:
    """The names of the files below ``place``, without their suffixes."""
    return {each.name.split(".")[0] for each in place.rglob("*") if each.is_file()}


def test_a_tree_and_what_was_installed_are_found(tmp_path: Path) -> None:
    assert package_of(ROOT) == ROOT / "server"
    assert package_of(ROOT / "server") == ROOT / "server"
    assert package_of(build(tmp_path / "site")) == tmp_path / "site"
    with pytest.raises(ToolError, match="holds no onegate"):
        package_of(tmp_path)


def test_the_source_tree_is_copied_and_says_its_commit(tmp_path: Path) -> None:
    version = copy_onegate(ROOT, tmp_path / "copy")
    assert (tmp_path / "copy/onegate/__main__.py").is_file()
    assert version.endswith(")")
    assert "compiled" not in version


def test_what_was_installed_below_a_working_tree_is_not_of_its_commit(tmp_path: Path) -> None:
    place = build(tmp_path / "tree/build/site")
    git = ["git", "-C", str(tmp_path / "tree"), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    assert copy_onegate(place, tmp_path / "copy") == "1.2.3"
    subprocess.run([*git, "add", "--all"], check=True)
    version = copy_onegate(place, tmp_path / "copy")
    assert re.fullmatch(r"1\.2\.3 \([0-9a-f]+, with changes\)", version)


@pytest.mark.parametrize("wheel", [False, True])
def test_a_compiled_build_is_copied_whole_or_without_what_was_compiled(
    tmp_path: Path, wheel: bool
) -> None:
    place = build(tmp_path / "site", compiled=True)
    if wheel:
        place = tmp_path / "onegate-1.2.3-cp311-cp311-linux_x86_64.whl"
        with zipfile.ZipFile(place, "w") as archive:
            for each in (tmp_path / "site").rglob("*"):
                if not each.name.startswith("other."):
                    archive.write(each, each.relative_to(tmp_path / "site"))
    assert is_compiled(place)
    assert copy_onegate(place, tmp_path / "whole") == "1.2.3, compiled"
    sources = {"__init__", "_version", "grammar"}
    assert files(tmp_path / "whole") == {*sources, "0123__mypyc"}
    assert is_compiled(tmp_path / "whole")
    assert copy_onegate(place, tmp_path / "pure", pure=True) == "1.2.3"
    assert files(tmp_path / "pure") == sources
    assert not is_compiled(tmp_path / "pure")


def test_a_copy_replaces_the_one_before(tmp_path: Path) -> None:
    copy_onegate(build(tmp_path / "old", compiled=True), tmp_path / "copy")
    copy_onegate(build(tmp_path / "new"), tmp_path / "copy")
    assert not is_compiled(tmp_path / "copy")


def test_the_pure_build_is_one_of_its_own_only_beside_a_compiled_one(tmp_path: Path) -> None:
    pure, compiled = build(tmp_path / "a"), build(tmp_path / "b", compiled=True)
    assert Builds(onegate=pure).places() == {ONEGATE: pure}
    assert Builds(onegate=compiled, baseline=pure).places() == {
        ONEGATE: compiled,
        PURE: compiled,
        BASELINE: pure,
    }
