"""``onegate.wsgi.loader``, alone and as the user meets it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from onegate.wsgi.loader import LoadError, load

from tests.server.helpers import run_to_end, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = """
class Nested:
    @staticmethod
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"nested"]

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"app"]

def make_app():
    return Nested.app

def make_with(name, *more, debug=False, **others):
    assert (name, more, debug, others) == ("a, (b)", (1, None), True, {"x": {"y": [b"z"]}})
    return Nested.app

def make_nothing():
    return None

def fails():
    raise RuntimeError("the factory fails")

number = 7
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with the module ``onegate_site`` in it."""
    (tmp_path / "onegate_site.py").write_text(SITE)
    package = tmp_path / "onegate_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "wsgi.py").write_text("application = print")
    (package / "empty.py").touch()
    (tmp_path / "onegate_broken.py").write_text("import onegate_missing_dependency")
    (tmp_path / "onegate_syntax.py").write_text("def (")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("onegate_site:app", "app"),
        ("onegate_site", "app"),
        ("onegate_site:Nested.app", "app"),
        ("onegate_site:make_app()", "app"),
        ("onegate_package.wsgi", "print"),
        ("onegate_package.wsgi:application", "print"),
    ],
)
def test_found(target: str, name: str) -> None:
    assert load(target).__name__ == name


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("onegate_gone:app", "there is no module 'onegate_gone'"),
        ("onegate_package.gone:app", "there is no module 'onegate_package.gone'"),
        ("onegate_gone.wsgi:app", "there is no module 'onegate_gone'"),
        ("onegate_site:gone", "module 'onegate_site' has no attribute 'gone'"),
        ("onegate_site:Nested.gone", "has no attribute 'Nested.gone'"),
        ("onegate_package.empty", "module 'onegate_package.empty' has no attribute 'app'"),
        ("onegate_site:number", "is a int, which is not callable"),
        ("onegate_site:number()", "number is not callable"),
        ("onegate_site:make_nothing()", "is a NoneType, which is not callable"),
    ],
)
def test_not_found_is_one_line(target: str, message: str) -> None:
    with pytest.raises(LoadError) as caught:
        load(target)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "target",
    ["", ":", ":app", "site:", "a b:app", "site:app)", "1site:app", "a:b:c", "a:b()c", "a:b()\n"],
)
def test_bad_syntax_of_target(target: str) -> None:
    with pytest.raises(LoadError, match="is not of the form module:attribute"):
        load(target)


@pytest.mark.parametrize(
    "arguments",
    ["name", "os.environ", "1, f()", "1)(2", "*[1]", "**{}", "a=b", "'", "1 2", "a=1, a=2", "x:=1",
     "[i for i in ()]", "(" * 5000 + ")" * 5000, "{[]: 1}"],
)  # fmt: skip
def test_arguments_of_a_factory_are_literals(arguments: str) -> None:
    with pytest.raises(LoadError, match="are not literals such as"):
        load(f"site:app({arguments})")


WITH = """onegate_site:make_with('a, (b)', 1, None, debug=True, x={"y": [b'z']})"""


@pytest.mark.usefixtures("site")
def test_a_factory_that_does_not_take_the_arguments() -> None:
    with pytest.raises(TypeError, match="make_app"):
        load("onegate_site:make_app(1)")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("onegate_broken:app", ModuleNotFoundError),
        ("onegate_syntax:app", SyntaxError),
        ("onegate_site:fails()", RuntimeError),
    ],
)
def test_what_the_module_raises_passes_through(target: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        load(target)


def test_working_folder_comes_first_on_the_path(site: Path) -> None:
    load("onegate_site:app")
    load("onegate_site:app")
    assert sys.path.index(str(site)) == 0
    assert sys.path.count(str(site)) == 1


def boot(site: Path, target: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run onegate to its end."""
    return run_to_end(site, target, "--bind", "127.0.0.1:0", *options)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("onegate_gone:app", "there is no module 'onegate_gone'"),
        ("onegate_site:number", "which is not callable"),
    ],
)
def test_boot_without_an_app_ends_with_1(
    site: Path, target: str, message: str, workers: str
) -> None:
    ended = boot(site, target, "--workers", workers)
    assert ended.returncode == 1, ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("onegate_broken:app", "ModuleNotFoundError: No module named 'onegate_missing_dependency'"),
        ("onegate_syntax:app", "SyntaxError: "),
        ("onegate_site:fails()", "RuntimeError: the factory fails"),
    ],
)
def test_boot_of_a_broken_app_ends_with_1_and_a_traceback(
    site: Path, target: str, message: str
) -> None:
    ended = boot(site, target)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback (most recent call last)" in ended.stderr


def test_a_module_that_the_standard_library_hides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for target in ("site:app", "site.wsgi:app"):
        with pytest.raises(LoadError) as without:
            load(target)
        assert "standard library" not in str(without.value)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/wsgi.py").write_text("app = print")
    for target in ("site:make_app()", "site.wsgi:app"):
        with pytest.raises(LoadError, match="'site' is a module of the standard library: give"):
            load(target)


def test_no_example_is_hidden_by_the_standard_library() -> None:
    root = Path(__file__).parents[3]
    texts = [path.read_text() for path in (root / "docs").glob("*.md")]
    texts.append((root / "README.md").read_text())
    modules = set(
        re.findall(r"\b(\w+)[\w.]*:(?:app|application|make_app|create_app)\b", "".join(texts))
    )
    assert modules
    assert modules & sys.stdlib_module_names == set()


@pytest.mark.parametrize(
    "target", ["onegate_site:make_app()", WITH, "onegate_site:Nested.app", "onegate_site"]
)
def test_served(site: Path, target: str) -> None:
    with serving(site, "", target=target) as server:
        assert server.get().content in (b"nested", b"app")
