"""The server's image: what is in it, that its layer is one, that it is built once."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import zlib
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from wsgi_matrix.engines.docker.base_images import Base, ensure_base, make_archive
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.engines.docker.server_images import context_archive, context_files, ensure_image
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import Python, Server
from wsgi_matrix.model.results import Image

from tests.matrix.engines.docker.conftest import ONEGATE, PYTHONS, TOP, Prepared, run
from tests.programs import program

LOOK = """
import importlib.util, json, os, shutil
modules = "pip ensurepip setuptools flask django pyramid bottle falcon wsgi_matrix".split()
programs = "pip pip3 gcc cc c++ make apt-get curl".split()
print(json.dumps({
    "modules": [name for name in modules if importlib.util.find_spec(name)],
    "programs": [name for name in programs if shutil.which(name)],
    "uid": os.getuid(),
}))
"""


def say_nothing(name: str, detail: str) -> None:
    pass


def bases(engine: DockerEngine) -> list[Base]:
    root = TOP / "build"
    return [ensure_base(engine.client, python, say_nothing, root) for python in PYTHONS]


def image(engine: DockerEngine, base: Base, server: Server = ONEGATE) -> Image:
    root = TOP / "build"
    return ensure_image(engine.client, server, base, tag="test", phase=say_nothing, root=root)


def last_layer(client: docker.APIClient, name: str) -> list[tarfile.TarInfo]:
    data = io.BytesIO(b"".join(client.get_image(name)))
    with tarfile.open(fileobj=data) as saved:
        manifest = json.load(saved.extractfile("manifest.json"))  # type: ignore[arg-type]
        layer = saved.extractfile(manifest[0]["Layers"][-1])
        assert layer is not None
        with tarfile.open(fileobj=layer) as archive:
            return archive.getmembers()


@pytest.fixture
def copy(tmp_path: Path) -> Server:
    """The server's build context, elsewhere, with other times and modes."""
    for name, path in context_files(ONEGATE).items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        # BuildKit takes a file for that of an earlier context if its size and time are the same.
        second = 10**9 + zlib.crc32(target.read_bytes()) % 10**8
        os.utime(target, (second, second))
        target.chmod(0o640)
    shutil.copyfile(TOP / ".dockerignore", tmp_path / ".dockerignore")
    return replace(ONEGATE, context=tmp_path)


def test_python_and_the_server_and_nothing_else(engine: DockerEngine) -> None:
    for base in bases(engine):
        seen = json.loads(run(engine.client, image(engine, base).id, "python3", "-c", LOOK))
        assert seen["modules"] == []
        assert seen["programs"] == [] or base.source.startswith("python:")
        assert seen["uid"] > 0


def test_the_configuration(engine: DockerEngine) -> None:
    made = engine.client.inspect_image(image(engine, bases(engine)[0]).id)  # type: ignore[no-untyped-call]
    config = made["Config"]
    assert config["Entrypoint"] == ["onegate"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["User"].split(":")[0].isdigit()
    assert config["Labels"]["org.opencontainers.image.title"] == "onegate"


def test_the_context_holds_sources_only() -> None:
    names = set(context_files(ONEGATE))
    sources = {str(path.relative_to(TOP)) for path in (TOP / "server/onegate").rglob("*.py")}
    assert sources <= names
    assert {n for n in names - sources if not n.endswith("py.typed")} == {
        "Dockerfile",
        ".dockerignore",
    }


def test_one_server_layer_over_all_pythons(engine: DockerEngine) -> None:
    made = [image(engine, base) for base in bases(engine)]
    assert len({each.id for each in made}) == len(PYTHONS)
    assert len({each.server_layer for each in made}) == 1


def test_the_layer_is_the_sources(engine: DockerEngine) -> None:
    members = last_layer(engine.client, image(engine, bases(engine)[0]).id)
    files = {"/" + m.name.rstrip("/") for m in members if m.isfile()}
    sources = {
        "/opt/onegate/onegate/" + str(path.relative_to(TOP / "server/onegate"))
        for path in (TOP / "server/onegate").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == sources
    assert {(m.mtime, m.uid, m.gid) for m in members} == {(0, 0, 0)}


def test_the_layer_does_not_depend_on_when_and_where(engine: DockerEngine, copy: Server) -> None:
    base = bases(engine)[0]
    name = f"onegate-test:again{os.getpid()}"
    try:
        for event in engine.client.build(
            fileobj=io.BytesIO(context_archive(context_files(copy))),
            custom_context=True,
            tag=name,
            buildargs={"BASE": base.reference},
            nocache=True,
            forcerm=True,
            rm=True,
            decode=True,
        ):
            assert "error" not in event, event
        again = engine.client.inspect_image(name)  # type: ignore[no-untyped-call]
        assert again["RootFS"]["Layers"][-1] == image(engine, base).server_layer
    finally:
        engine.client.remove_image(name, force=True)


def test_buildkit_builds_it_too(engine: DockerEngine, copy: Server) -> None:
    base, name, said = bases(engine)[0], f"onegate-test:kit{os.getpid()}", "no docker command"
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    command = ["build", "--quiet", "--build-arg", f"BASE={base.reference}", "--tag", name, "."]
    for folder in os.get_exec_path():
        program = Path(folder, "docker")
        if not program.exists():
            continue
        done = subprocess.run(
            [program, *command],
            cwd=copy.context, env=environment, capture_output=True, text=True, timeout=500,
            check=False,
        )  # fmt: skip
        said = done.stderr
        if done.returncode == 0:
            made = engine.client.inspect_image(name)  # type: ignore[no-untyped-call]
            engine.client.remove_image(name, force=True)
            assert made["RootFS"]["Layers"][-1] == image(engine, base).server_layer
            return
        assert "buildx" in said, said
    pytest.skip(f"no BuildKit here: {said}")


def test_one_changed_file_is_another_layer(engine: DockerEngine, copy: Server) -> None:
    base = bases(engine)[0]
    before = image(engine, base)
    source = copy.context / "server/onegate/__init__.py"
    source.write_text(source.read_text() + "# changed\n")
    changed = image(engine, base, copy)
    try:
        assert changed.server_layer != before.server_layer
        assert changed.id != before.id
    finally:
        engine.client.remove_image(changed.id, force=True)


def test_a_build_that_fails_says_where_and_leaves_nothing(
    engine: DockerEngine, copy: Server
) -> None:
    failing = f"echo why {os.getpid()}; exit 3"
    (copy.context / "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\nRUN {failing}\n")
    with pytest.raises(SetupError, match=r"server onegate: .*Dockerfile: .*3.*why"):
        image(engine, bases(engine)[0], copy)
    left = [c for c in engine.client.containers(all=True) if failing in c["Command"]]
    assert left == []


def test_a_second_preparation_makes_nothing(engine: DockerEngine, prepared: Prepared) -> None:
    cells = [prepared(python=python) for python in PYTHONS]
    notes: list[str] = []
    engine.prepare(cells, lambda name, detail: notes.append(detail))
    assert [note for note in notes if "build" in note or "mak" in note or "pull" in note] == []


def test_an_image_that_is_here_is_the_base(engine: DockerEngine) -> None:
    made = bases(engine)[0]
    tag = f"base{os.getpid()}"
    engine.client.tag(made.id, "onegate-test", tag)
    try:
        python = Python(version="3.11", images=("onegate-test:none", f"onegate-test:{tag}"))
        found = ensure_base(engine.client, python, say_nothing, TOP / "build")
        assert (found.id, found.source) == (made.id, f"onegate-test:{tag}")
    finally:
        engine.client.remove_image(f"onegate-test:{tag}")


def test_a_base_is_reproducible(engine: DockerEngine, tmp_path: Path) -> None:
    """Two machines that make it of the same packages have the same layer, octet by octet."""
    program("mmdebstrap")
    architecture = bases(engine)[0].architecture
    made = set()
    for name in ("one", "two"):
        make_archive(PYTHONS[0], (), architecture, tmp_path / name)
        with (tmp_path / name).open("rb") as file:
            made.add(hashlib.file_digest(file, "sha256").hexdigest())
        (tmp_path / name).unlink()
    assert len(made) == 1


def test_no_base_at_all(
    engine: DockerEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = Python(version="3.11", images=("127.0.0.1:1/none:1",))
    with pytest.raises(SetupError, match="exists locally or can be pulled; pull one, or set"):
        ensure_base(engine.client, python, say_nothing, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"mmdebstrap.*is not installed; run `make engine`"):
        ensure_base(engine.client, replace(python, debian="sid"), say_nothing, tmp_path)
