"""Which file says what an app requires, and what becomes of it: uv itself is a double here.

What uv makes of it, `test_resolve.py` shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.packaging import lockfile
from wsgi_matrix.packaging.lockfile import FORMS, NOT_READ, Lock

from tests.matrix.packages import project, wheel

pytestmark = pytest.mark.unit
HASH = f"--hash=sha256:{'0' * 64}"
TINY = f"tiny==1.0 {HASH}"
PYPROJECT = '[project]\nname = "shop"\nversion = "1.0"\n'


@dataclass
class Uv:
    """In place of uv: what it was called with, and what it answers."""

    said: str = f"--index-url https://example.org/simple\n{TINY}\n"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    keywords: list[dict[str, Any]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    """The content of the file that it was to resolve."""

    def run(self, words: list[str], what: str, **keywords: Any) -> str:
        self.calls.append(tuple(words))
        self.keywords.append({"what": what, **keywords})
        if words[0] == "pip":
            self.read.append(Path(words[-1]).read_text(encoding="utf-8"))
        return self.said


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Uv:
    double = Uv()
    monkeypatch.setattr(lockfile, "run", double.run)
    return double


@pytest.fixture
def app(tmp_path: Path) -> App:
    folder = tmp_path / "shop"
    folder.mkdir()
    return App(name="shop", path=folder, resolve=True)


@pytest.fixture
def lock(app: App, tmp_path: Path) -> Callable[..., Lock]:
    """`lock("requirements.txt", text)` → Lock."""

    def make(name: str, text: str, *, version: str = "3.11", platform: str = "", **changes: Any):
        file = app.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        python = Python(version=version)
        root = tmp_path / "build"
        return lockfile.locked(replace(app, **changes), file, python, platform or None, root)

    return make


def test_of_several_files_the_first_form_is_taken(app: App) -> None:
    for name in reversed(FORMS):
        (app.path / name).write_text(PYPROJECT)
        file, notice = lockfile.chosen(app.path, "requirements.txt")
        assert file == app.path / name
        assert notice == ("" if name == "requirements.txt" else f"requirements: {file}")


def test_an_app_without_any_has_the_standard_library_and_says_so(app: App) -> None:
    file, notice = lockfile.chosen(app.path, "requirements.txt")
    assert file is None
    assert notice.startswith(f"no requirements: {app.path} has none of requirements.txt, pylock")
    assert "use --requirements FILE" in notice


@pytest.mark.parametrize("name", NOT_READ)
def test_a_form_that_is_not_read_says_what_to_do(app: App, name: str) -> None:
    (app.path / name).touch()
    file, notice = lockfile.chosen(app.path, "requirements.txt")
    assert (file, notice) == (None, f"no requirements: {name} is not supported; {NOT_READ[name]}")
    (app.path / "pyproject.toml").write_text(PYPROJECT)
    file, notice = lockfile.chosen(app.path, "requirements.txt")
    assert file == app.path / "pyproject.toml"
    assert f"({name} is not supported; to use it: {NOT_READ[name]})" in notice
    if name == "requirements.in":  # a name that people give it, of the form that is read
        assert lockfile.chosen(app.path, name) == (app.path / name, "")
    else:
        with pytest.raises(SetupError, match=f"{name} is not supported; convert it: "):
            lockfile.chosen(app.path, name)


def test_a_named_file_is_taken_or_nothing(app: App) -> None:
    (app.path / "requirements.txt").touch()
    assert lockfile.chosen(app.path, "deploy.txt") == (None, "")
    (app.path / "deploy.txt").touch()
    assert lockfile.chosen(app.path, "deploy.txt") == (app.path / "deploy.txt", "")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (PYPROJECT, True),
        ("[build-system]\nrequires = []\n", True),
        ("[tool.poetry]\nname = 'shop'\n", True),
        ("[tool.ruff]\nline-length = 100\n", False),
    ],
)
def test_a_pyproject_of_tools_says_nothing_of_requirements(
    app: App, text: str, is_one: bool
) -> None:
    (app.path / "pyproject.toml").write_text(text)
    file, _ = lockfile.chosen(app.path, "requirements.txt")
    assert file == (app.path / "pyproject.toml" if is_one else None)


def test_a_pyproject_that_is_no_toml_is_named(app: App) -> None:
    (app.path / "pyproject.toml").write_text("[project")
    with pytest.raises(SetupError, match=r"pyproject\.toml cannot be read: "):
        lockfile.chosen(app.path, "requirements.txt")


def test_requirements_with_hashes_are_a_lock(lock, app: App, uv: Uv) -> None:
    wheel(app.path / "wheels", "tiny")
    found = lock("requirements.txt", f"--no-index\n-f wheels\n{TINY}\n")
    assert uv.calls == []
    assert not found.resolved
    assert found.written == (app.path / "requirements.txt",)
    where = (app.path / "wheels").as_uri()
    assert found.file.read_text().splitlines() == ["--no-index", f"--find-links {where}", TINY]
    assert found.options == ("--no-index", "--find-links", where)


def test_of_several_files_with_hashes_the_first_is_taken_as_it_is(lock, app: App, uv: Uv) -> None:
    (app.path / "more.txt").write_text(f"{TINY}\n")
    found = lock("requirements.txt", "-r more.txt\n")
    assert uv.calls == []
    assert found.file == app.path / "requirements.txt"
    assert found.inputs == found.written == (found.file, app.path / "more.txt")
    assert found.folder == app.path


def test_others_are_resolved_once(lock, app: App, uv: Uv) -> None:
    found = lock("requirements.txt", "tiny\n")
    assert found.resolved
    assert found.file.read_text() == uv.said
    assert found.options == ("--index-url", "https://example.org/simple")
    [words] = uv.calls
    assert words[:2] == ("pip", "compile")
    assert words[-2:] == ("--", str(app.path / "requirements.txt"))
    assert words[words.index("--python-version") + 1] == "3.11"
    assert "--generate-hashes" in words
    assert uv.keywords[0]["folder"] == app.path
    assert "requirements.txt cannot be resolved for Python 3.11" in uv.keywords[0]["what"]
    assert lock("requirements.txt", "tiny\n") == found
    assert len(uv.calls) == 1


@pytest.mark.parametrize("change", [{"version": "3.13"}, {"platform": "aarch64-unknown-linux-gnu"}])
def test_another_target_is_another_lock(lock, uv: Uv, change: dict[str, str]) -> None:
    first, second = lock("requirements.txt", "tiny\n"), lock("requirements.txt", "tiny\n", **change)
    assert first.file != second.file
    assert len(uv.calls) == 2
    assert set(change.values()) <= set(uv.calls[1])


def test_another_text_of_a_file_or_of_one_that_it_includes_is_another_lock(
    lock, app: App, uv: Uv
) -> None:
    text = "-r deploy/more.txt  # theirs\n-c https://example.org/constraints.txt\ntiny\n"
    (app.path / "deploy").mkdir()
    more = app.path / "deploy" / "more.txt"
    found = []
    for content in ("webby\n", "webby>1\n", "webby>1\n"):
        more.write_text(content)
        found.append(lock("requirements.txt", text).file)
    found.append(lock("requirements.txt", text + "\n").file)
    assert len(set(found)) == len(uv.calls) == 3
    assert found[1] == found[2]


def test_files_that_include_each_other_are_read_once(lock, app: App, uv: Uv) -> None:
    (app.path / "more.txt").write_text("-r requirements.txt\nwebby\n")
    found = lock("requirements.txt", "-r more.txt\ntiny\n")
    assert found.written == (app.path / "requirements.txt", app.path / "more.txt")


def test_a_file_that_is_not_there_is_named_with_the_app(lock) -> None:
    with pytest.raises(SetupError, match=r"app shop: .*more\.txt cannot be read: "):
        lock("requirements.txt", "-r more.txt\n")


def test_a_wheel_that_comes_is_another_lock_and_another_source_is_not(
    lock, app: App, uv: Uv
) -> None:
    wheel(app.path / "wheels", "tiny")
    project(app.path / "vendor", "tea")
    text = "-f wheels\ntiny\n./vendor\n"
    found = [lock("requirements.txt", text).file]
    (app.path / "vendor" / "src" / "tea.py").write_text("changed = True\n")
    found.append(lock("requirements.txt", text).file)
    project(app.path / "vendor", "tea", requires=("webby",))
    found.append(lock("requirements.txt", text).file)
    wheel(app.path / "wheels", "tiny", "2.0")
    found.append(lock("requirements.txt", text).file)
    assert found[0] == found[1]
    assert len(set(found)) == len(uv.calls) == 3


def test_projects_of_this_machine_are_in_no_lock_and_built_besides(lock, app: App, uv: Uv) -> None:
    project(app.path / "vendor", "tea")
    uv.said = f"-e ./vendor\nhome @ git+https://example.org/home@main\n{TINY}\n"
    found = lock("requirements.txt", "-e ./vendor\nhome @ git+https://example.org/home@main\n")
    assert found.projects == (
        str((app.path / "vendor").resolve()),
        "home @ git+https://example.org/home@main",
    )
    packages = [x for x in found.file.read_text().splitlines() if not x.startswith("#")]
    assert packages == [TINY]


def test_paths_are_absolute_in_a_lock(lock, app: App, uv: Uv) -> None:
    file = wheel(app.path / "wheels", "tiny")
    uv.said = f"./wheels/{file.name} \\\n    {HASH}\nwebby @ file:wheels/{file.name} {HASH}\n"
    found = lock("requirements.txt", f"./wheels/{file.name}\n")
    assert found.file.read_text() == (
        f"{file.as_uri()} \\\n    {HASH}\nwebby @ {file.as_uri()} {HASH}\n"
    )


def test_paths_are_those_of_the_app_or_of_the_file(lock, app: App, uv: Uv) -> None:
    """As where pip is called, or else beside the file, if that is where they are."""
    wheel(app.path / "deploy" / "wheels", "tiny")
    text = "./wheels/tiny-1.0-py3-none-any.whl\n"
    lock("deploy/all.txt", text)
    assert uv.keywords[-1]["folder"] == app.path / "deploy"
    wheel(app.path / "wheels", "tiny")
    lock("deploy/all.txt", text)
    assert uv.keywords[-1]["folder"] == app.path


def test_a_package_is_built_itself_where_its_project_says_how(lock, app: App, uv: Uv) -> None:
    assert lock("pyproject.toml", PYPROJECT).projects == ()
    text = PYPROJECT + "[build-system]\nrequires = []\n"
    assert lock("pyproject.toml", text).projects == (str(app.path),)


def test_a_pylock_is_taken_as_it_is(lock, app: App, uv: Uv) -> None:
    for name in ("pylock.toml", "pylock.deploy.toml"):
        found = lock(name, "lock-version = '1.0'\n")
        assert found.file == app.path / name
        assert found.projects == found.options == ()
    assert uv.calls == []


def test_a_uv_lock_is_exported_without_being_made_anew(lock, app: App, uv: Uv) -> None:
    uv.said = f"--index-url https://example.org/simple\n-e .\n{TINY}\n"
    found = lock("uv.lock", "version = 1\n")
    [words] = uv.calls
    assert words[0] == "export"
    assert "--frozen" in words
    assert found.projects == (str(app.path.resolve()),)
    assert TINY in found.file.read_text()
    assert not found.resolved


def test_versions_of_a_uv_lock_without_hashes_get_them(lock, app: App, uv: Uv) -> None:
    """Of a folder of wheels a lock has none."""
    uv.said = "tiny==1.0\n"
    found = lock("uv.lock", "version = 1\n")
    assert [words[0] for words in uv.calls] == ["export", "pip"]
    assert uv.read == ["tiny==1.0\n"]
    assert found.resolved
    assert found.written == (app.path / "uv.lock",)


PIPFILE: dict[str, Any] = {
    "_meta": {"sources": [{"url": "https://example.org/simple"}]},
    "default": {
        "tiny": {"version": "==1.0", "hashes": ["sha256:" + "0" * 64]},
        "webby": {
            "version": "==2.0",
            "extras": ["a", "b"],
            "markers": "python_version > '3'",
            "hashes": ["sha256:" + "1" * 64, "sha256:" + "2" * 64],
        },
    },
}


def test_a_pipfile_lock_becomes_requirements(lock, uv: Uv) -> None:
    found = lock("Pipfile.lock", json.dumps(PIPFILE))
    assert uv.calls == []
    one, two = (f"--hash=sha256:{each * 64}" for each in "12")
    assert found.file.read_text().splitlines() == [
        "--index-url https://example.org/simple",
        TINY,
        f"webby[a,b]==2.0 ; python_version > '3' {one} {two}",
    ]


def test_projects_of_a_pipfile_lock_are_built(lock, app: App, uv: Uv) -> None:
    for name in ("tea", "pot"):
        project(app.path / name, name)
    more = {"tea": {"path": "./tea", "editable": True}, "pot": {"path": "./pot"}}
    found = lock("Pipfile.lock", json.dumps({**PIPFILE, "default": more}))
    assert found.projects == tuple(str((app.path / name).resolve()) for name in more)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", json.dumps({**PIPFILE, "default": {"tiny": {"version": "==1"}}})]
)
def test_a_pipfile_lock_that_is_none_says_what_to_do(lock, text: str) -> None:
    with pytest.raises(SetupError, match=r"app shop: .*Pipfile\.lock cannot be read .*: pipenv "):
        lock("Pipfile.lock", text)


def test_what_may_be_built_and_for_which_python(app: App, monkeypatch) -> None:
    python, platform = Python(version="3.13"), "x86_64-unknown-linux-gnu"
    words = ("--python-version", "3.13", "--python-platform", platform)
    wheels_only = ("--only-binary", ":all:", "--python", sys.executable)
    assert lockfile.wheels(app, python, platform) == (*words, *wheels_only)
    assert lockfile.wheels(app, python, None) == (*words[:2], *wheels_only)
    builds = replace(app, sdists=True)
    found: list[Any] = [(Path("/usr/bin/python3.13"), "3.13.1"), None]
    monkeypatch.setattr(lockfile.interpreters, "find", lambda version: found.pop(0))
    assert lockfile.wheels(builds, python, platform) == (*words, "--python", "/usr/bin/python3.13")
    with pytest.raises(SetupError, match=r"app shop: --sdists needs python3\.13, which"):
        lockfile.wheels(builds, python, platform)


def test_a_project_that_would_be_built_is_resolved_from_a_copy(
    lock, app: App, uv: Uv, monkeypatch
) -> None:
    """What a build writes beside it is not in the project; what is not built stays as it is."""
    monkeypatch.setattr(lockfile.interpreters, "find", lambda version: (Path("python3"), "3.11.0"))
    dynamic = app.path / "tea"
    project(dynamic, "tea")
    text = (dynamic / "pyproject.toml").read_text()
    (dynamic / "pyproject.toml").write_text(
        text.replace('version = "1.0"', 'dynamic = ["version"]')
    )
    project(app.path / "pot", "pot")
    (app.path / "more.txt").write_text("./pot\n")
    lines = "# ./tea\n-r more.txt\n-e ./tea\ntiny\n./nowhere\n"
    lock("requirements.txt", lines)  # without a word of --sdists nothing is built
    assert uv.read[-1] == lines
    lock("requirements.txt", lines, sdists=True)
    comment, included, tea, tiny, nowhere = uv.read[-1].splitlines()
    assert (comment, tiny, nowhere) == ("# ./tea", "tiny", "./nowhere")
    assert included.startswith("-r resolving-")
    assert tea.startswith("-e file:///")
    assert tea.endswith("/tea")
    assert dynamic.as_uri() not in tea
    assert uv.keywords[-1]["known_as"][tea.removeprefix("-e file://")] == str(dynamic)
