"""Bundles: named by their inputs, whole or not there, wheels with matching hashes only."""

from __future__ import annotations

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.packaging.bundle import Bundle, ensure_bundle

PY311 = Python(version="3.11")
LINUX = "x86_64-unknown-linux-gnu"


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app that needs the wheel ``tiny`` 1.0, which lies beside it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "tiny-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "answer = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", metadata)
        archive.writestr("tiny-1.0.dist-info/WHEEL", tags)
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    folder = tmp_path / "tinyapp"
    folder.mkdir()
    (folder / "app.py").write_text("def app(environ, start_response): ...\n")
    lock(folder, wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return App(name="tiny", path=folder, framework="tiny")


def lock(folder: Path, file: Path, digest: str) -> None:
    (folder / "requirements.txt").write_text(
        f"--no-index\n--find-links {file.parent}\ntiny==1.0 --hash=sha256:{digest}\n"
    )


def names(bundle: Bundle) -> set[str]:
    """Of the Python files in it."""
    return {
        f"{'lib' if p == bundle.lib else p.name}/{f.relative_to(p)}"
        for p in bundle.paths
        for f in p.rglob("*.py")
    }


def test_a_bundle_holds_the_app_and_its_requirements(app: App, tmp_path: Path) -> None:
    bundle = ensure_bundle(app, PY311, tmp_path / "build", LINUX)
    assert names(bundle) == {"app/app.py", "lib/tiny.py"}
    assert bundle.framework_version == "1.0"


def test_the_same_inputs_are_not_made_again(app: App, tmp_path: Path) -> None:
    first = ensure_bundle(app, PY311, tmp_path / "build", LINUX)
    (first.folder / "made-once").touch()
    assert ensure_bundle(app, PY311, tmp_path / "build", LINUX) == first
    assert (first.folder / "made-once").exists()


def test_every_input_counts(app: App, tmp_path: Path) -> None:
    build = tmp_path / "build"
    digests = [ensure_bundle(app, PY311, build, LINUX).digest]
    digests.append(ensure_bundle(app, Python(version="3.13"), build, LINUX).digest)
    digests.append(ensure_bundle(app, PY311, build, "aarch64-unknown-linux-gnu").digest)
    (app.path / "app.py").write_text("def app(environ, start_response): return []\n")
    digests.append(ensure_bundle(app, PY311, build, LINUX).digest)
    (app.path / "app.py").rename(app.path / "other.py")
    digests.append(ensure_bundle(app, PY311, build, LINUX).digest)
    requirements = app.path / "requirements.txt"
    requirements.write_text(requirements.read_text() + "# again\n")
    digests.append(ensure_bundle(app, PY311, build, LINUX).digest)
    assert len(set(digests)) == len(digests)


def test_what_python_writes_beside_the_app_is_no_input(app: App, tmp_path: Path) -> None:
    before = ensure_bundle(app, PY311, tmp_path / "build", LINUX)
    (app.path / "__pycache__").mkdir()
    (app.path / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"compiled")
    assert ensure_bundle(app, PY311, tmp_path / "build", LINUX) == before


def test_one_of_several_runs_makes_it(app: App, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda _: ensure_bundle(app, PY311, tmp_path / "build", LINUX), range(4))
    assert len(set(made)) == 1
    assert [p.name for p in (tmp_path / "build" / "bundles").glob("*.part")] == []


def test_what_a_killed_run_left_is_not_taken(app: App, tmp_path: Path) -> None:
    build = tmp_path / "build"
    made = ensure_bundle(app, PY311, build, LINUX)
    parts = [each.with_name(each.name + ".part") for each in (made.folder, made.lib)]
    made.folder.rename(parts[0])
    made.lib.rename(parts[1])
    (parts[1] / "tiny.py").unlink()
    (parts[0] / "app" / "half.py").touch()
    assert names(ensure_bundle(app, PY311, build, LINUX)) == {"app/app.py", "lib/tiny.py"}
    assert not any(part.exists() for part in parts)


def assert_nothing_made(build: Path) -> None:
    made = [path for part in ("bundles", "libs") for path in (build / part).glob("*")]
    assert [path.name for path in made if path.suffix != ".lock"] == []


def test_another_hash_is_refused(app: App, tmp_path: Path) -> None:
    lock(app.path, next((tmp_path / "wheels").iterdir()), "0" * 64)
    with pytest.raises(SetupError, match=r"app tiny: .*requirements.txt cannot be installed"):
        ensure_bundle(app, PY311, tmp_path / "build", LINUX)
    assert_nothing_made(tmp_path / "build")


def test_nothing_is_built_from_source(app: App, tmp_path: Path) -> None:
    next((tmp_path / "wheels").iterdir()).unlink()
    sdist = tmp_path / "wheels" / "tiny-1.0.tar.gz"
    sdist.write_bytes(b"never opened")
    lock(app.path, sdist, hashlib.sha256(b"never opened").hexdigest())
    with pytest.raises(SetupError, match="no usable wheels"):
        ensure_bundle(app, PY311, tmp_path / "build", LINUX)
    assert_nothing_made(tmp_path / "build")


def test_a_framework_that_is_not_installed_is_no_framework(app: App, tmp_path: Path) -> None:
    wrong = App(name="tiny", path=app.path, framework="flask")
    with pytest.raises(SetupError, match="do not include flask"):
        ensure_bundle(wrong, PY311, tmp_path / "build", LINUX)


def test_no_requirements(tmp_path: Path) -> None:
    folder = tmp_path / "plainapp"
    folder.mkdir()
    (folder / "app.py").touch()
    bundle = ensure_bundle(App(name="plain", path=folder), PY311, tmp_path / "build", None)
    assert names(bundle) == {"app/app.py"}
    assert bundle.framework_version == ""
    with pytest.raises(SetupError, match=r"requirements.txt is missing, but must contain flask"):
        ensure_bundle(
            App(name="plain", path=folder, framework="flask"), PY311, tmp_path / "build", None
        )


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no such directory"):
        ensure_bundle(App(name="none", path=tmp_path / "none"), PY311, tmp_path, None)


def test_what_is_a_cache_or_no_file_is_no_part_of_an_app(app: App, tmp_path: Path) -> None:
    """The folder of our own caches may lie in the app's; so may a link to nothing."""
    before = ensure_bundle(app, PY311, app.path / "build", LINUX)
    (app.path / "gone").symlink_to(tmp_path / "nowhere")
    (app.path / "node_modules").mkdir()
    (app.path / "node_modules" / "much.js").touch()
    after = ensure_bundle(app, PY311, app.path / "build", LINUX)
    assert after.digest == before.digest
    assert names(after) == {"app/app.py", "lib/tiny.py"}


def test_a_link_to_a_file_is_that_file(app: App, tmp_path: Path) -> None:
    """As apps/*/files/numbers.txt are: what they point to is no part of the app's directory."""
    (tmp_path / "shared.txt").write_text("shared")
    (app.path / "mine.txt").symlink_to("../shared.txt")
    copied = ensure_bundle(app, PY311, tmp_path, LINUX).app / "mine.txt"
    assert not copied.is_symlink()
    assert copied.read_text() == "shared"


def unlocked(app: App, tmp_path: Path) -> App:
    """The same app with requirements that name no hash, one of them in a file of its own."""
    (app.path / "requirements.txt").write_text(
        f"-r more.txt\n--no-index\n--find-links {tmp_path / 'wheels'}\n"
    )
    (app.path / "more.txt").write_text("tiny  # whichever there is\n")
    return replace(app, resolve=True)


def test_requirements_that_nobody_locked_are_locked_once(app: App, tmp_path: Path) -> None:
    loose = unlocked(app, tmp_path)
    bundle = ensure_bundle(loose, PY311, tmp_path / "build", LINUX)
    assert names(bundle) == {"app/app.py", "lib/tiny.py"}
    [made] = (tmp_path / "build" / "locks").glob("requirements-*.txt")
    assert "--hash=sha256:" in made.read_text()
    made.write_text(made.read_text() + "# ours\n")
    ensure_bundle(loose, PY311, tmp_path / "build", LINUX)
    assert made.read_text().endswith("# ours\n")


def test_another_included_file_is_another_lock(app: App, tmp_path: Path) -> None:
    loose = unlocked(app, tmp_path)
    ensure_bundle(loose, PY311, tmp_path / "build", LINUX)
    (app.path / "more.txt").write_text("tiny==1.0\n")
    ensure_bundle(loose, PY311, tmp_path / "build", LINUX)
    assert len(list((tmp_path / "build" / "locks").glob("requirements-*.txt"))) == 2


def test_requirements_that_cannot_be_resolved_say_which(app: App, tmp_path: Path) -> None:
    loose = unlocked(app, tmp_path)
    (app.path / "more.txt").write_text("tiny==2.0\n")
    with pytest.raises(SetupError, match=r"cannot be resolved for Python 3\.11.*tiny==2\.0"):
        ensure_bundle(loose, PY311, tmp_path / "build", LINUX)
    assert not list((tmp_path / "build" / "locks").glob("requirements-*.txt"))
