"""The servers, limits and Pythons that come with wsgi-matrix."""

from __future__ import annotations

from pathlib import Path

import pytest
from wsgi_matrix.config import builtin, matrix_toml
from wsgi_matrix.errors import ConfigError
from wsgi_matrix.model.axes import Server

ROOT = Path(__file__).parents[3]
OWN = """
[run]
built_in = true
[servers.onegate]
context = "."
args = ["mine"]
[apps.shop]
path = "shop"
[limits.tight]
nofile = 99
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "matrix.toml").write_text(OWN)
    return matrix_toml.load(tmp_path / "matrix.toml")


def test_an_editable_installation_has_those_of_the_repository():
    assert builtin.directory() == ROOT


def test_a_distribution_has_them_packed(monkeypatch, tmp_path):
    monkeypatch.setattr(builtin, "PACKED", tmp_path)
    assert builtin.directory() == tmp_path


def test_a_packed_matrix_that_lacks_its_file_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(builtin, "PACKED", tmp_path)
    with pytest.raises(ConfigError, match=r"matrix\.toml: No such file"):
        matrix_toml.built_in(tmp_path / "build")


def test_they_are_added_to_what_a_matrix_has_itself(own):
    ours = matrix_toml.built_in(own.build)
    assert set(own.servers) == set(ours.servers)
    assert own.limits.keys() == ours.limits.keys()
    assert own.pythons == ours.pythons
    assert list(own.apps) == ["shop"]  # those of the repository are no part of it
    assert own.suites == {}


def test_a_table_of_the_matrix_takes_the_place_of_one_that_comes_along(own):
    assert own.servers["onegate"].args == ("mine",)
    assert own.limits["tight"].nofile == 99
    assert own.limits["tight"].nproc is None


def test_a_server_of_wheels_runs_on_every_python_and_others_on_their_own():
    wheels = Server(name="a", context=Path(), args=(), pythons=("3.11",), requirements="r.txt")
    assert builtin.on_all_pythons(wheels).pythons == ()
    for parts in ({"packages": ("nginx",)}, {"builder": ("gcc",)}):
        debian = Server(name="b", context=Path(), args=(), pythons=("3.11",), **parts)
        assert builtin.on_all_pythons(debian).pythons == ("3.11",)
    there = matrix_toml.built_in(ROOT / "build").servers
    assert there["waitress"].pythons == ()
    assert there["mod_wsgi"].pythons == ("3.11",)
