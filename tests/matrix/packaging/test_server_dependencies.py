"""What a server's image is built from besides its folder: whole or not there, and made once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import Python, Server
from wsgi_matrix.packaging import server_dependencies
from wsgi_matrix.packaging.server_dependencies import ensure_folder, ensure_parts

pytestmark = pytest.mark.unit
PY311 = Python(version="3.11")
LINUX = "x86_64-unknown-linux-gnu"


@dataclass
class Doubles:
    """In place of uv, and of pip which it runs: what they were asked for."""

    unpacked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    downloaded: list[tuple[str, ...]] = field(default_factory=list)
    problem: Exception | None = None
    status: int = 0

    def unpack(self, whose: str, lock: Any, python: Python, words: list[str], target: Path) -> None:
        self.unpacked.append((whose, tuple(words)))
        (target / "tiny").mkdir()
        (target / "tiny" / "__init__.py").write_text(lock.file.read_text())
        (target / "tiny" / "__init__.pyc").touch()
        if self.problem:
            raise self.problem

    def run(self, command: list[str], **options: Any) -> SimpleNamespace:
        self.downloaded.append(tuple(command))
        (Path(command[command.index("--dest") + 1]) / "tiny-1.0.tar.gz").touch()
        if self.problem:
            raise self.problem
        return SimpleNamespace(returncode=self.status, stderr="no matching\n  distribution\n")


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch) -> Doubles:
    made = Doubles()
    monkeypatch.setattr(server_dependencies, "unpack", made.unpack)
    monkeypatch.setattr(server_dependencies.subprocess, "run", made.run)
    return made


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server with locked requirements and a locked source distribution."""
    context = tmp_path / "peers" / "plain"
    context.mkdir(parents=True)
    (context / "requirements.txt").write_text("tiny==1.0 --hash=sha256:0\n")
    (context / "sources.txt").write_text("# built\nbig.one==2.0 --hash=sha256:0\nsmall_1==1\n")
    return Server(
        name="plain_a",
        context=context,
        args=(),
        requirements="requirements.txt",
        sources="sources.txt",
    )


@pytest.fixture
def made(tmp_path: Path, server: Server) -> Callable[..., dict[str, Path]]:
    def make(server: Server = server, python: Python = PY311, platform: str = LINUX):
        return ensure_parts(server, python, tmp_path / "build", platform)

    return make


def left(tmp_path: Path) -> list[str]:
    """What is in the cache, but for locks."""
    return sorted(x.name for x in (tmp_path / "build" / "servers").glob("*") if x.is_dir())


def test_a_server_of_files_alone_needs_nothing(tmp_path: Path, server: Server, doubles, made):
    bare = replace(server, requirements="", sources="")
    assert made(bare) == {}
    assert ensure_folder(bare, PY311, tmp_path / "build", None) is None
    assert not (tmp_path / "build").exists()


def test_wheels_and_sources_are_named_as_in_the_context_of_a_build(tmp_path, doubles, made):
    found = made()
    assert list(found) == ["lib/tiny/__init__.py", "sources/tiny-1.0.tar.gz"]
    assert all(path.is_file() for path in found.values())
    [folder] = left(tmp_path)
    assert folder.startswith("plain-py311-")
    [(whose, words)] = doubles.unpacked
    assert whose == "server plain_a"
    assert words[words.index("--python-version") + 1] == "3.11"
    assert words[words.index("--python-platform") + 1] == LINUX
    assert words[-2:] == ("--only-binary", ":all:")


def test_without_a_platform_it_is_that_of_this_machine(tmp_path, server, doubles):
    folder = ensure_folder(server, PY311, tmp_path / "build", None)
    assert folder is not None
    assert sorted(each.name for each in folder.iterdir()) == ["lib", "sources"]
    assert "--python-platform" not in doubles.unpacked[0][1]


def test_sources_are_fetched_as_they_are_and_by_their_hashes(server, doubles, made):
    made(replace(server, requirements=""))
    assert doubles.unpacked == []
    [command] = doubles.downloaded
    assert command[command.index("--no-binary") + 1] == "big.one,small_1"
    assert {"--no-deps", "--require-hashes"} <= set(command)
    assert command[command.index("--requirement") + 1] == str(server.context / "sources.txt")


def test_the_same_is_not_made_again_and_every_input_counts(tmp_path, server, doubles, made):
    assert made() == made()
    assert len(doubles.unpacked) == 1
    made(python=Python(version="3.13"))
    made(platform="aarch64-unknown-linux-gnu")
    for name in ("requirements.txt", "sources.txt"):
        with (server.context / name).open("a") as file:
            file.write("# again\n")
        made()
    assert len(doubles.unpacked) == len(left(tmp_path)) == 5


def test_a_lock_that_is_missing_is_told_before_anything_is_made(tmp_path, server, doubles, made):
    (server.context / "sources.txt").unlink()
    with pytest.raises(SetupError, match=r"server plain_a: no such file: .*/plain/sources\.txt"):
        made()
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (OSError(28, "No space left on device"), r"server plain_a: could not create .*No space"),
        (SetupError("server plain_a: tiny: no wheel"), "no wheel"),
        (KeyboardInterrupt(), None),
    ],
)
def test_what_could_not_be_finished_is_not_there(tmp_path, doubles, made, problem, message):
    doubles.problem = problem
    expected = SetupError if isinstance(problem, Exception) else KeyboardInterrupt
    with pytest.raises(expected, match=message):
        made()
    assert left(tmp_path) == []
    doubles.problem = None
    assert len(made()) == 2


def test_what_a_killed_run_had_begun_is_begun_anew(tmp_path, doubles, made):
    made()
    [name] = left(tmp_path)
    folder = tmp_path / "build" / "servers" / name
    folder.rename(folder.with_name(name + ".part"))
    (folder.with_name(name + ".part") / "lib" / "half").touch()
    assert "lib/half" not in made()
    assert left(tmp_path) == [name]


def test_sources_that_cannot_be_fetched_are_told_with_what_pip_said(tmp_path, doubles, made):
    doubles.status = 1
    with pytest.raises(SetupError, match=r"sources\.txt cannot be downloaded: no matching dist"):
        made()
    assert left(tmp_path) == []


def test_sources_that_take_too_long_are_given_up(tmp_path, server, doubles, made):
    doubles.problem = subprocess.TimeoutExpired("pip", 1)
    with pytest.raises(
        SetupError, match=r"server plain_a: downloading .*sources\.txt took too long"
    ):
        made(replace(server, requirements=""))
    assert left(tmp_path) == []
