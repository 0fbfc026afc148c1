"""The app environment of a process cell."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.engines.process.cell_provisioning import CellEnvironment
from wsgi_matrix.model.app_environment import AppEnvironment
from wsgi_matrix.packaging.bundle import Bundle


@pytest.fixture
def provided(plain, tmp_path):
    """The app environment of a cell whose app asks for everything."""
    secret = tmp_path / "key"
    secret.write_text("hush")
    wanted = AppEnvironment(
        environment=(("HOME", "{writable}"), ("KEY", "{secrets}/key")),
        secrets=(("key", secret),),
        setup=(("python", "-m", "app", "{writable}"),),
        writable="/var/app",
    )
    [cell] = plan.make_cells(plain, plan.Selection(select=("plain-good-fds64-py311",)))
    cell = replace(cell, app=replace(cell.app, needs=wanted))
    return CellEnvironment(
        cell,
        tmp_path / "cell.files",
        bundle=Bundle(
            folder=tmp_path / "bundle", lib=tmp_path / "lib", digest="", framework_version=""
        ),
        server_lib=tmp_path / "server" / "lib",
        python=Path("/bin/python3"),
        uid=None,
    )


def test_variables_are_few_and_the_servers_packages_come_last(provided, tmp_path, monkeypatch):
    found = provided.environment
    paths = found["PYTHONPATH"].split(os.pathsep)
    bundle = tmp_path / "bundle"
    last = [f"{bundle}/app", f"{bundle}/own", f"{tmp_path}/lib", f"{tmp_path}/server/lib"]
    assert paths[-4:] == last
    paths = found["PATH"].split(os.pathsep)
    assert paths[:3] == [f"{bundle}/own/bin", f"{tmp_path}/lib/bin", "/bin"]
    assert found["KEY"] == f"{tmp_path}/cell.files/secrets/key"
    assert found["LANG"] == "C.UTF-8"
    assert not found.keys() & {"VIRTUAL_ENV", "PYTHONHOME", "USER"}


def test_folders_are_made_and_are_gone_afterwards(provided, tmp_path):
    provided.make()
    assert provided.commands == (("/bin/python3", "-m", "app", provided.environment["HOME"]),)
    assert Path(provided.environment["HOME"]).is_dir()
    assert Path(provided.environment["KEY"]).read_text() == "hush"
    assert Path(provided.environment["TMPDIR"]).is_dir()
    provided.close()
    assert not (tmp_path / "cell.files").exists()
