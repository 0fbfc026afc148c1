"""The server's container: confined, with a user of its own, under the limits of its profile."""

from __future__ import annotations

import docker
import pytest
from wsgi_matrix.engines.docker import server
from wsgi_matrix.engines.docker.client import CELL
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.model.axes import Limits

from tests.matrix.engines.docker.conftest import Prepared


def config(client: docker.APIClient, cell: str, kind: str) -> dict[str, object]:
    """What the engine says of the running container of ``cell``."""
    wanted = [f"{CELL}={cell}", f"org.onegate.wsgi-matrix={kind}"]
    found = client.containers(all=True, filters={"label": wanted})
    return dict(client.inspect_container(found[0]["Id"]))


def test_the_server_has_nothing_but_its_image_and_the_app(
    engine: DockerEngine, prepared: Prepared
) -> None:
    cell = prepared(limits=Limits(name="confined", nofile=99))
    with engine.open(cell):
        found = config(engine.client, cell.id, "cell")
    host, uid = found["HostConfig"], found["Config"]["User"].split(":")[0]  # type: ignore[index]
    assert isinstance(host, dict)
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["PidsLimit"] > 0
    assert {"Name": "nofile", "Soft": 99, "Hard": 99} in host["Ulimits"]
    assert [mount["RW"] for mount in found["Mounts"]] == [False]  # type: ignore[attr-defined]
    assert int(uid) > 0


def test_cells_at_the_same_time_have_users_of_their_own(
    engine: DockerEngine, prepared: Prepared
) -> None:
    cells = [prepared(limits=Limits(name=f"user{number}")) for number in range(2)]
    with engine.open(cells[0]), engine.open(cells[1]):
        users = {
            config(engine.client, cell.id, kind)["Config"]["User"]  # type: ignore[index]
            for cell in cells
            for kind in ("cell", "probe")
        }
    assert len(users) == 4
    assert "0:0" not in users


def test_a_limit_that_was_not_applied_is_seen(
    engine: DockerEngine, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = prepared(limits=Limits(name="some", nofile=256, nproc=50))

    def without(name: str, soft: int, hard: int) -> docker.types.Ulimit:
        return docker.types.Ulimit(name=name, soft=soft + 1, hard=hard + 1)

    monkeypatch.setattr(server, "Ulimit", without)
    with engine.open(cell) as running:
        observed = running.observed()
    assert (observed.nofile, observed.nproc) == (257, 51)
