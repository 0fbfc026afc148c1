"""What an app requires means what it means to pip: paths, hashes, projects, other files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.packaging import lockfile
from wsgi_matrix.packaging.bundle import Bundle, ensure_bundle
from wsgi_matrix.packaging.uv import explained, uv_program

from tests.matrix.packages import LITTER, littering, project, sdist, sha256, wheel

PY311 = Python(version="3.11")
LINUX = "x86_64-unknown-linux-gnu"
ZEROS = "0" * 64


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app whose requirements nobody has locked; beside it `wheels/` with tiny and webby."""
    folder = tmp_path / "my app; ü"
    wheel(folder / "wheels", "tiny")
    wheel(folder / "wheels", "webby")
    (folder / "app.py").write_text("def app(environ, start_response): ...\n")
    return App(name="shop", path=folder, resolve=True)


@pytest.fixture
def made(app: App, tmp_path: Path, monkeypatch):
    """`made("--find-links wheels", …)` → Bundle, called in a folder that is none of theirs."""
    monkeypatch.chdir(tmp_path)

    def make(*lines: str, name="requirements.txt", **changes) -> Bundle:
        if lines:
            (app.path / name).parent.mkdir(exist_ok=True)
            (app.path / name).write_text("\n".join(("--no-index", *lines)) + "\n")
        changed = replace(app, requirements=name, **changes)
        return ensure_bundle(changed, PY311, tmp_path / "build", LINUX)

    return make


def modules(bundle: Bundle) -> set[str]:
    """Of own and lib."""
    return {path.stem for folder in (bundle.own, bundle.lib) for path in folder.glob("*.py")}


def ran(bundle: Bundle, *words: str) -> str:
    """What a script prints as a cell runs it."""
    path = os.pathsep.join([*map(str, bundle.scripts), os.environ["PATH"]])
    paths = os.pathsep.join(map(str, bundle.paths))
    return subprocess.run(
        words, env={"PATH": path, "PYTHONPATH": paths}, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    "line",
    [
        "--find-links wheels\ntiny",
        "--find-links=wheels\ntiny>=1; python_version > '3'",
        "-f ./wheels\ntiny",
        "./wheels/tiny-1.0-py3-none-any.whl",
        "tiny @ file:wheels/tiny-1.0-py3-none-any.whl",
    ],
)
def test_relative_paths_are_those_of_the_app(made, line):
    assert modules(made(line)) == {"tiny"}


def test_relative_paths_beside_requirements_elsewhere(made, app):
    shutil.move(app.path / "wheels", app.path / "deploy" / "wheels")
    assert modules(made("./wheels/tiny-1.0-py3-none-any.whl", name="deploy/all.txt")) == {"tiny"}
    assert modules(made("-f wheels\ntiny", name="deploy/all.txt")) == {"tiny"}


def test_a_wheel_that_is_there_now_is_found_now(made, app):
    with pytest.raises(SetupError, match="cannot be resolved"):
        made("-f wheels\nlater")
    assert modules(made("-f wheels\ntiny")) == {"tiny"}
    wheel(app.path / "wheels", "tiny", "2.0")
    assert next(made("-f wheels\ntiny").lib.glob("*.dist-info")).name == "tiny-2.0.dist-info"


def test_scripts_run_with_the_python_that_is_first_on_the_path(made):
    bundle = made("-f wheels\ntiny")
    assert (bundle.lib / "bin/tinyctl").read_text().startswith("#!/usr/bin/env python3\n")
    assert ran(bundle, "tinyctl", "a") == "tiny ['a']\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-e .", {"shop", "tiny"}),
        (".", {"shop", "tiny"}),
        (".[web]", {"shop", "tiny", "webby"}),
        ("-e .[web]", {"shop", "tiny", "webby"}),
        ("./vendor/tea", {"tea"}),
        ("tea @ file:vendor/tea", {"tea"}),
    ],
)
def test_a_project_of_this_machine_is_built_with_what_it_requires(made, app, line, expected):
    project(app.path, "shop", requires=("tiny",))
    project(app.path / "vendor" / "tea", "tea")
    bundle = made("-f wheels", line)
    assert modules(bundle) == expected
    first = "tea" if "tea" in line else "shop"
    assert ran(bundle, f"{first}ctl") == f"{first} []\n"
    version = f"from importlib.metadata import version; print(version({first!r}))"
    assert ran(bundle, "python3", "-c", version) == "1.0\n"


def test_a_project_that_requires_something_else_now_is_locked_anew(made, app):
    project(app.path, "shop", requires=("tiny",))
    assert modules(made("-f wheels\n-e .")) == {"shop", "tiny"}
    project(app.path, "shop", requires=("webby",))
    assert modules(made("-f wheels\n-e .")) == {"shop", "webby"}


def test_a_change_of_the_source_leaves_what_it_requires_where_it_is(made, app):
    project(app.path, "shop", requires=("tiny",))
    before = made("-f wheels\n-e .")
    (app.path / "src" / "shop.py").write_text("name = 'new'\n")
    after = made("-f wheels\n-e .")
    assert before.lib == after.lib
    assert before.folder != after.folder
    assert "new" in (after.own / "shop.py").read_text()


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("line", ["-e .", ".", "shop @ file:.", "./vendor/tea", "-r more.txt", ""])
@pytest.mark.parametrize("sdists", [False, True])
def test_a_build_leaves_nothing_in_the_project(made, app, line, sdists):
    """What it takes for its own is a copy: build/, *.egg-info, and whatever else a backend has."""
    make = littering if sdists else partial(project, requires=("tiny",))
    make(app.path, "shop", requires=("tiny",))
    if not sdists:
        (app.path / "backend.py").write_text(
            (app.path / "backend.py").read_text() + LITTER.format(metadata="", tags="")
        )
    shutil.copytree(app.path, app.path / "vendor" / "tea", ignore=shutil.ignore_patterns("vendor"))
    (app.path / "more.txt").write_text("./vendor/tea\n")
    (app.path / "build").mkdir()
    (app.path / "build" / "kept.py").write_text("of the user")
    if line:
        (app.path / "requirements.txt").write_text(f"--no-index\n-f wheels\n{line}\n")
    else:
        with (app.path / "pyproject.toml").open("a") as file:
            file.write('[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n')
    before = everything(app.path)
    bundle = made(sdists=sdists)
    assert everything(app.path) == before
    assert modules(bundle) >= {"shop", "tiny"}
    assert not list(bundle.folder.glob("sources"))
    [origin] = bundle.own.glob("shop-1.0.dist-info/direct_url.json")
    place = app.path / "vendor/tea" if "tea" in line or "more" in line else app.path
    assert json.loads(origin.read_text())["url"] == place.as_uri()


def test_an_error_of_a_build_names_the_project_and_not_its_copy(made, app, tmp_path):
    project(app.path, "shop")
    (app.path / "backend.py").write_text("import os\nraise SystemExit(os.getcwd())\n")
    with pytest.raises(SetupError, match="cannot be built") as refused:
        made("-e .")
    assert str(refused.value).count(str(app.path)) > 1
    assert str(tmp_path / "build") not in str(refused.value)


def test_a_project_with_dynamic_metadata_says_what_to_do(made, app):
    littering(app.path, "shop")
    with pytest.raises(SetupError, match=r"the requirements of shop .*: --sdists builds it"):
        made("-f wheels\n-e .")


def test_a_project_that_cannot_be_built_says_so(made, app):
    project(app.path, "shop")
    (app.path / "backend.py").write_text("raise RuntimeError('no compiler')\n")
    with pytest.raises(SetupError, match=r"cannot be built for Python 3\.11.*no compiler"):
        made("-e .")


def test_hashes_are_kept_to(made, app):
    right = sha256(app.path / "wheels" / "tiny-1.0-py3-none-any.whl")
    assert modules(made(f"-f wheels\ntiny==1.0 --hash=sha256:{right}")) == {"tiny"}
    with pytest.raises(SetupError, match=r"(?s)cannot be installed.*(?i:hash)"):
        made(f"-f wheels\ntiny==1.0 --hash=sha256:{ZEROS}")
    with pytest.raises(SetupError, match=r"(?s)cannot be installed.*(?i:hash)"):
        made(f"-f wheels\nwebby==1.0\ntiny==1.0 --hash=sha256:{right}")


def test_hashes_in_an_included_file_are_kept_to(made, app):
    (app.path / "more.txt").write_text(f"tiny==1.0 --hash=sha256:{ZEROS}\n")
    with pytest.raises(SetupError, match=r"(?s)cannot be installed.*(?i:hash)"):
        made("-f wheels\n-r more.txt")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (f"# ours\ntiny==1.0 --hash=sha256:{ZEROS}", "line 4 (tiny==1.0): "),
        (f"Tiny==1.0 ; python_version > '3' \\\n  --hash=sha256:{ZEROS}", "line 3 (Tiny==1.0): "),
        (f"webby\ntiny==1.0 --hash=sha256:{ZEROS}", "line 3 (webby): "),
        (f"webby==1.0\ntiny==1.0 --hash=sha256:{ZEROS}", "line 3 (webby==1.0): "),
        (f"later[x]==1.0 --hash=sha256:{ZEROS}", "line 3 (later[x]==1.0): "),
        (f"tiny=1.0 --hash=sha256:{ZEROS}", "line 3 (tiny=1.0): "),
        (
            f"./wheels/tiny-1.0-py3-none-any.whl --hash=sha256:{ZEROS}",
            "line 3 (./wheels/tiny-1.0-py3-none-any.whl): ",
        ),
    ],
)
def test_an_error_of_hashes_names_the_line_that_people_wrote(made, app, lines, expected):
    """And not the lock in the cache, which nobody knows."""
    with pytest.raises(SetupError, match="cannot be installed") as refused:
        made("-f wheels", lines)
    said = str(refused.value)
    assert said.startswith(f"app shop: {app.path / 'requirements.txt'} cannot be installed")
    assert f": requirements.txt, {expected}" in said
    assert "build/locks" not in said
    assert "requirements-" not in said


def test_an_error_in_an_included_file_names_that(made, app):
    (app.path / "more.txt").write_text(f"\ntiny==1.0 --hash=sha256:{ZEROS}\n")
    with pytest.raises(SetupError, match=r": more\.txt, line 2 \(tiny==1\.0\): "):
        made("-f wheels\n-r more.txt")


def test_a_lock_of_ours_that_does_not_hold_any_more_says_so(made, app, tmp_path):
    made("-f wheels\ntiny")
    shutil.rmtree(tmp_path / "build" / "libs")
    wheel(app.path / "wheels", "tiny", requires=("webby",))
    with pytest.raises(SetupError, match=r"requirements\.txt cannot be .*; if files .*") as refused:
        made("-f wheels\ntiny")
    Path(str(refused.value).rpartition("remove ")[2]).unlink()
    assert modules(made("-f wheels\ntiny")) == {"tiny", "webby"}


def test_an_error_in_another_form_names_that_and_its_line(made, app):
    wheels = (app.path / "wheels").as_uri()
    webby = {"hashes": [f"sha256:{ZEROS}"], "version": "==1.0"}
    meta = {"sources": [{"url": wheels}]}
    for version, hashes in (("==1.0", [f"sha256:{ZEROS}"]), ("==9.0", [])):
        tiny = {"hashes": hashes, "version": version}
        value = {"_meta": meta, "default": {"tiny": tiny, "webby": webby}}
        (app.path / "Pipfile.lock").write_text(json.dumps(value, indent=4))
        with pytest.raises(
            SetupError, match=r"Pipfile\.lock cannot be .*: Pipfile\.lock, line \d+ "
        ) as refused:
            made(name="Pipfile.lock")
        assert "requirements-" not in str(refused.value)
    (app.path / "Pipfile.lock").unlink()
    project(app.path, "shop", requires=("later",))
    with (app.path / "pyproject.toml").open("a") as file:
        file.write("[tool.uv]\nno-index = true\n")
    with pytest.raises(
        SetupError, match=r"cannot be resolved.*: pyproject\.toml, line \d+ \(later\): "
    ):
        made()


def test_what_is_a_source_distribution_only_says_what_to_do_and_that_works(made, app, tmp_path):
    archive = sdist(app.path / "wheels", project(tmp_path / "tea", "tea"), "tea")
    with pytest.raises(SetupError, match="--sdists") as refused:
        made("-f wheels\ntea")
    assert "--no-build" not in str(refused.value)
    assert "--find-links wheels" in str(refused.value)
    assert modules(made("-f wheels\ntea", sdists=True)) == {"tea"}
    archive.unlink()
    wheel(app.path / "wheels", "tea")
    assert modules(made("-f wheels\ntea")) == {"tea"}


def test_a_pyproject_is_taken_where_there_are_no_requirements(made, app):
    project(app.path, "shop")
    assert modules(made()) == {"shop"}
    assert "pyproject.toml" in lockfile.chosen(app.path, "requirements.txt")[1]


def test_a_pyproject_of_tools_alone_is_none(app):
    (app.path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    file, notice = lockfile.chosen(app.path, "requirements.txt")
    assert file is None
    assert notice.startswith("no requirements: ")


@pytest.mark.parametrize(
    ("name", "advice"),
    [("poetry.lock", "poetry export"), ("Pipfile", "pipenv requirements"), ("setup.py", "echo .")],
)
def test_a_form_that_is_not_read_says_what_to_do(app, name, advice):
    (app.path / name).touch()
    assert advice in lockfile.chosen(app.path, "requirements.txt")[1]
    with pytest.raises(SetupError, match=advice):
        lockfile.chosen(app.path, name)


def test_poetrys_lock_is_not_passed_over_in_silence(app):
    project(app.path, "shop")
    (app.path / "poetry.lock").touch()
    file, notice = lockfile.chosen(app.path, "requirements.txt")
    assert file == app.path / "pyproject.toml"
    assert "poetry.lock is not supported" in notice


def test_a_uv_lock_is_read(made, app):
    project(app.path, "shop", requires=("tiny",))
    text = (app.path / "pyproject.toml").read_text()
    source = '[tool.uv.sources]\ntiny = { path = "wheels/tiny-1.0-py3-none-any.whl" }\n'
    (app.path / "pyproject.toml").write_text(text.replace("webby", "tiny") + source)
    command = [uv_program(), "lock", "--offline", "--quiet", "--python", "3.11"]
    subprocess.run(command, cwd=app.path, check=True)
    bundle = made()
    assert modules(bundle) == {"shop", "tiny"}
    assert "uv.lock" in lockfile.chosen(app.path, "requirements.txt")[1]


def test_a_pylock_is_read_and_its_hashes_are_kept_to(made, app):
    file = app.path / "wheels" / "tiny-1.0-py3-none-any.whl"
    text = (
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "tiny"\nversion = "1.0"\n'
        'wheels = [{{ path = "wheels/{}", hashes = {{ sha256 = "{}" }} }}]\n'
    )
    (app.path / "pylock.toml").write_text(text.format(file.name, sha256(file)))
    assert modules(made()) == {"tiny"}
    (app.path / "pylock.toml").write_text(text.format(file.name, ZEROS))
    with pytest.raises(SetupError, match=r"(?s)cannot be installed.*(?i:hash)"):
        made()


def test_a_pipfile_lock_is_read(made, app):
    digest = sha256(app.path / "wheels" / "tiny-1.0-py3-none-any.whl")
    wheels = (app.path / "wheels").as_uri()
    tiny = {"hashes": [f"sha256:{digest}"], "version": "==1.0", "markers": "python_version > '3'"}
    default = {"tiny": tiny, "shop": {"path": ".", "editable": True}}
    value = {"_meta": {"sources": [{"url": wheels}]}, "default": default}
    project(app.path, "shop")
    (app.path / "Pipfile.lock").write_text(json.dumps(value))
    text = lockfile._pipfile("app shop", app.path / "Pipfile.lock")
    assert f"tiny==1.0 ; python_version > '3' --hash=sha256:{digest}" in text.splitlines()
    assert "-e ." in text.splitlines()
    (app.path / "Pipfile.lock").write_text("{}")
    with pytest.raises(SetupError, match=r"Pipfile\.lock cannot be read.*pipenv requirements"):
        made()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("error: x\n\nhint: use a higher `--python-version` for y (e.g., `--python-version 3.12`)",
         "--python 3.13"),
        ("error: a has no usable wheels\n\nhint: Wheels are required for `a` (`--no-build`)",
         "`pip wheel -w wheels a`"),
        ("error: only a<2 is available\n\nhint: `--prerelease=allow`", "NAME==1.0rc1"),
    ],
)  # fmt: skip
def test_hints_name_our_options_and_not_those_of_uv(said, expected):
    text = explained(said)
    assert expected in text
    assert text.startswith("error: ")
    assert not {"--python-version", "--no-build", "--prerelease=allow"} & set(
        text.replace("`", "").split()
    )
