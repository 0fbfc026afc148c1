"""The engines that there are, and which of them is chosen."""

from __future__ import annotations

import pytest
from wsgi_matrix.engines import choose, registry
from wsgi_matrix.engines.api import EngineType
from wsgi_matrix.engines.process.engine import ProcessEngine
from wsgi_matrix.errors import EngineError, UserError


class Registered(dict):
    """In place of the registry: all of them of this package."""

    def is_built_in(self, name):
        return name in self


def engine_type(name, problem="", *, containers):
    def make(build, *, keep):
        if problem:
            raise EngineError(problem)
        return name

    return EngineType(
        name=name, cells=f"{name}s", containers=containers, make=make, look=str, inspect=str
    )


@pytest.fixture
def engines(monkeypatch):
    """`engines(…)`: these are there, and no others."""
    monkeypatch.delenv(choose.REQUIRE_DOCKER, raising=False)

    def use(*types):
        there = Registered({each.name: each for each in types})
        for module in (registry, choose):
            monkeypatch.setattr(module, "ENGINES", there)

    return use


BOX, GONE = engine_type("box", containers=True), engine_type("gone", "no socket", containers=True)
BARE = engine_type("bare", containers=False)


def test_the_first_that_answers_is_chosen(engines, tmp_path):
    engines(BOX, BARE)
    assert choose.choose("auto", tmp_path) == ("box", "")
    engines(GONE, BARE)
    engine, notice = choose.choose("auto", tmp_path)
    assert engine == "bare"
    assert notice == "no socket\nfalling back to bares, which are NOT containers"


def test_an_engine_that_is_named_is_not_replaced_by_another(engines, tmp_path):
    engines(GONE, BARE)
    assert choose.choose("bare", tmp_path) == ("bare", "")
    with pytest.raises(EngineError, match="no socket"):
        choose.choose("gone", tmp_path)
    with pytest.raises(UserError, match='no "gon"; did you mean "gone"'):
        choose.choose("gon", tmp_path)


@pytest.mark.parametrize(
    ("name", "text"), [("auto", "no socket"), ("bare", "forbids the bare engine")]
)
def test_where_containers_are_required_an_engine_without_them_is_refused(
    engines, tmp_path, monkeypatch, name, text
):
    engines(GONE, BARE)
    monkeypatch.setenv(choose.REQUIRE_DOCKER, "1")
    with pytest.raises(EngineError, match=text):
        choose.choose(name, tmp_path)
    engines(BOX, BARE)
    assert choose.choose("auto", tmp_path) == ("box", "")


def test_each_engine_has_the_name_of_its_entry(tmp_path):
    """A run is told by the engine's own name, and looked up by its entry's."""
    assert ProcessEngine(tmp_path).name == registry.ENGINES["process"].name == "process"
    docker = pytest.importorskip("wsgi_matrix.engines.docker.engine")
    assert docker.DockerEngine.name == registry.ENGINES["docker"].name == "docker"


def test_an_engine_that_is_not_installed_here_is_taken_to_have_images():
    assert registry.has_images("docker")
    assert not registry.has_images("process")
    assert registry.has_images("of_another_machine")
