"""What is made for cells before they start."""

from __future__ import annotations

import pytest
from wsgi_matrix.engines.docker.base_images import Base
from wsgi_matrix.engines.docker.client import LABEL
from wsgi_matrix.engines.docker.engine import DockerEngine
from wsgi_matrix.engines.docker.prepare import Prepared as Preparation
from wsgi_matrix.engines.docker.prepare import platform_of
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import Cell, Limits

from tests.matrix.engines.docker.conftest import ONEGATE, PYTHONS, TOP, WSGI, Prepared


def test_a_cell_is_put_together_of_what_was_made_for_it(
    engine: DockerEngine, prepared: Prepared
) -> None:
    small, large = prepared(), prepared(limits=Limits(name="large", nofile=4096))
    preparation = Preparation(engine.client, TOP / "build")
    preparation.make([small], lambda name, detail: None)
    found = preparation.of(small)
    assert preparation.of(large) == found, "limits change nothing of what a cell is made of"
    assert engine.client.inspect_image(found.image.id)["Id"] == found.image.id
    for volume in (found.bundle_volume, found.probe_volume):
        assert engine.client.inspect_volume(volume)["Labels"][LABEL] == "bundle"


def test_a_cell_that_was_not_prepared_cannot_be_had(engine: DockerEngine) -> None:
    cell = Cell(server=ONEGATE, app=WSGI, limits=Limits(), python=PYTHONS[0])
    with pytest.raises(SetupError, match=f"{cell.id} was not prepared"):
        Preparation(engine.client, TOP / "build").of(cell)


@pytest.mark.parametrize(
    ("architecture", "glibc", "platform"),
    [
        ("amd64", "", "x86_64-unknown-linux-gnu"),
        ("arm64", "", "aarch64-unknown-linux-gnu"),
        ("amd64", "2.35", "x86_64-manylinux_2_35"),
        ("arm64", "2.34", "aarch64-manylinux_2_34"),
    ],
)
def test_wheels_are_for_the_glibc_that_is_known(architecture, glibc, platform) -> None:
    base = Base(id="i", reference="r", source="s", architecture=architecture)
    assert platform_of(base, glibc) == platform
