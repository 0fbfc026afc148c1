"""Volumes: whole or made again, and gone when they could not be filled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from wsgi_matrix.engines.docker import volumes
from wsgi_matrix.engines.docker.base_images import ensure_base
from wsgi_matrix.engines.docker.client import LABEL, OWNER
from wsgi_matrix.engines.docker.volumes import MOUNT, discard, ensure_bundle_volume, ours
from wsgi_matrix.errors import SetupError
from wsgi_matrix.packaging.bundle import Bundle
from wsgi_matrix.util.process_owner import owner

from tests.matrix.engines.docker.conftest import PYTHONS, TOP, run

LIST = f"""
import os
for top, _, names in os.walk("{MOUNT}"):
    for name in names: print(os.path.relpath(os.path.join(top, name), "{MOUNT}"))
"""


@pytest.fixture(scope="module")
def base(client: docker.APIClient) -> str:
    return ensure_base(client, PYTHONS[0], lambda name, detail: None, TOP / "build").id


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    # The directories of two runs may have one name, and volumes are called by it.
    folder = tmp_path / f"test-{os.getpid()}-{tmp_path.name}"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "app.py").write_text("answer = 42\n")
    (folder / "app" / "broken.py").write_text("this is no Python\n")
    (folder / "own").mkdir()
    (tmp_path / "lib" / "bin").mkdir(parents=True)
    return Bundle(folder=folder, lib=tmp_path / "lib", digest="0", framework_version="")


@pytest.fixture(autouse=True)
def none_left(client: docker.APIClient) -> Iterator[None]:
    yield
    for name in ours(client):
        if name.startswith(f"wsgi-matrix-test-{os.getpid()}-") and not name.endswith(".complete"):
            discard(client, name)


def content(client: docker.APIClient, base: str, volume: str) -> set[str]:
    binds = {volume: {"bind": MOUNT, "mode": "ro"}}
    return set(run(client, base, "python3", "-c", LIST, binds=binds).split())


def put_junk(client: docker.APIClient, base: str, volume: str) -> None:
    code = f"open('{MOUNT}/junk', 'w').close()"
    run(client, base, "python3", "-c", code, binds={volume: {"bind": MOUNT, "mode": "rw"}})


def test_it_holds_the_bundle_compiled(
    client: docker.APIClient, base: str, bundle: Bundle, tmp_path: Path
) -> None:
    volume = ensure_bundle_volume(client, bundle, base, tmp_path)
    compiled = "app/__pycache__/app.cpython-311.pyc"
    assert content(client, base, volume) == {"app/app.py", "app/broken.py", compiled}


def test_what_can_be_executed_can_be_there_and_every_user_may_read_it(
    client: docker.APIClient, base: str, bundle: Bundle, tmp_path: Path
) -> None:
    for name, mode in (("lib/bin/tinyctl", 0o755), ("lib/tiny.txt", 0o644)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (bundle.app / ".env").touch(0o600)
    volume = ensure_bundle_volume(client, bundle, base, tmp_path)
    code = f"""
import os
for name in ("lib/bin/tinyctl", "lib/tiny.txt", "app/.env"):
    print(oct(os.stat("{MOUNT}/" + name).st_mode & 0o777))
"""
    binds = {volume: {"bind": MOUNT, "mode": "ro"}}
    said = run(client, base, "python3", "-c", code, binds=binds)
    assert said.split() == ["0o755", "0o644", "0o644"]


def test_a_whole_one_is_not_made_again(
    client: docker.APIClient, base: str, bundle: Bundle, tmp_path: Path
) -> None:
    volume = ensure_bundle_volume(client, bundle, base, tmp_path)
    put_junk(client, base, volume)
    assert ensure_bundle_volume(client, bundle, base, tmp_path) == volume
    assert "junk" in content(client, base, volume)


def test_half_a_one_is_made_again(
    client: docker.APIClient, base: str, bundle: Bundle, tmp_path: Path
) -> None:
    volume = ensure_bundle_volume(client, bundle, base, tmp_path)
    discard(client, volume)
    client.create_volume(volume, labels={LABEL: "bundle", OWNER: owner()})
    put_junk(client, base, volume)
    assert ensure_bundle_volume(client, bundle, base, tmp_path) == volume
    assert "junk" not in content(client, base, volume)


def test_one_made_by_somebody_else_is_not_taken(
    client: docker.APIClient, base: str, bundle: Bundle, tmp_path: Path
) -> None:
    volume = ensure_bundle_volume(client, bundle, base, tmp_path)
    mark = client.inspect_volume(volume + ".complete")
    discard(client, volume)
    client.create_volume(mark["Name"], labels=mark["Labels"])
    client.create_volume(volume, labels={LABEL: "bundle"})
    assert "app/app.py" in content(
        client, base, ensure_bundle_volume(client, bundle, base, tmp_path)
    )


def test_a_full_disk_leaves_no_volume(
    client: docker.APIClient,
    base: str,
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (bundle.folder / "app" / "large").write_bytes(bytes(2**20))
    create = client.create_volume

    def create_small(name: str, labels: dict[str, str]) -> object:
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=256k"}
        return create(name, driver="local", driver_opts=options, labels=labels)

    monkeypatch.setattr(client, "create_volume", create_small)
    with pytest.raises(SetupError, match=r"volume wsgi-matrix-test-.*: the engine's disk is full"):
        ensure_bundle_volume(client, bundle, base, tmp_path)
    assert [name for name in ours(client) if bundle.folder.name in name] == []
    filters = {"label": f"{LABEL}=fill"}
    filling = [c["Labels"] for c in client.containers(all=True, filters=filters)]
    assert [labels for labels in filling if bundle.folder.name in str(labels)] == []


def test_a_disk_full_while_compiling_is_one_too(
    client: docker.APIClient,
    base: str,
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = "raise SystemExit('OSError: [Errno 28] No space left on device')"
    monkeypatch.setattr(volumes, "_COMPILE", ["-c", full])
    with pytest.raises(SetupError, match="the engine's disk is full"):
        ensure_bundle_volume(client, bundle, base, tmp_path)
    assert [name for name in ours(client) if bundle.folder.name in name] == []
