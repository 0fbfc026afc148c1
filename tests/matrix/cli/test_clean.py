"""`wsgi-matrix clean --cache`, on a cache of the test's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wsgi_matrix.cli import main
from wsgi_matrix.engines.process import engine
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.packaging import bundle, interpreters

from tests.matrix.packages import wheel

PYTHON = Python(version="3.11")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The build directory; root's cache is elsewhere where that is closed to others."""
    monkeypatch.setattr(engine, "SHARED", tmp_path / "of root")
    monkeypatch.delenv("WSGI_MATRIX_REQUIRE_DOCKER", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "build"


@pytest.fixture
def cached(tmp_path: Path, place: Path) -> Path:
    """Where the engine has a bundle, its requirements, their lock and an interpreter."""
    app = tmp_path / "shop"
    wheel(app / "wheels", "tiny")
    (app / "app.py").write_text("def app(environ, start_response): ...\n")
    (app / "requirements.txt").write_text("--no-index\n-f wheels\ntiny\n")
    root = engine.ProcessEngine(place).place
    bundle.ensure_bundle(App(name="shop", path=app, resolve=True), PYTHON, root, None)
    interpreters.bare(PYTHON.version, root)
    return root


def clean(place: Path, *words: str) -> Result:
    command = ["--build", str(place), "clean", "--engine", "process", *words]
    return CliRunner().invoke(main, command)


def there(root: Path) -> set[str]:
    return {part for part in bundle.PARTS if (root / part).exists()}


def test_all_that_is_made_again_is_removed_and_results_stay(place: Path, cached: Path) -> None:
    assert there(cached) == {"bundles", "libs", "locks", "pythons"}
    results = place / "matrix" / "results.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("{}")
    before = sum(
        path.lstat().st_blocks * 512
        for part in bundle.PARTS
        for path in (cached / part).rglob("*")
        if path.is_symlink() or not path.is_dir()
    )
    done = clean(place, "--cache")
    assert done.exit_code == 0, done.output
    found = re.search(r"(\d+\.\d) MiB of cache removed from (.*)", done.stdout)
    assert found, done.stdout
    assert found[1] == f"{before / 2**20:.1f}"
    assert before > 0
    assert there(cached) == set()
    assert results.read_text() == "{}"
    again = clean(place, "--cache")
    assert "\n0.0 MiB of cache removed" in again.stdout


def test_without_the_option_the_cache_stays(place: Path, cached: Path) -> None:
    done = clean(place)
    assert done.exit_code == 0, done.output
    assert done.stdout == "leftovers removed: 0\n"
    assert there(cached) == {"bundles", "libs", "locks", "pythons"}


def test_a_cache_that_a_run_uses_stays_and_says_so(place: Path, cached: Path) -> None:
    with bundle.in_use(cached):
        done = clean(place, "--cache")
    assert done.exit_code == 2, done.output
    assert done.stderr == f"wsgi-matrix: {place}: in use by a run; try again later\n"
    assert there(cached) == {"bundles", "libs", "locks", "pythons"}


def test_a_part_that_is_a_link_is_emptied(place: Path, cached: Path, tmp_path: Path) -> None:
    (cached / "libs").rename(tmp_path / "large disk")
    (cached / "libs").symlink_to(tmp_path / "large disk")
    assert clean(place, "--cache").exit_code == 0
    assert there(cached) == {"libs"}
    assert list((tmp_path / "large disk").iterdir()) == []


def test_what_a_link_in_it_leads_to_stays(place: Path, cached: Path, tmp_path: Path) -> None:
    """A part of the cache on another disk; a file that an app links to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (cached / "bundles" / "link").symlink_to(elsewhere)
    assert clean(place, "--cache").exit_code == 0
    assert there(cached) == set()
    assert (elsewhere / "kept").exists()
