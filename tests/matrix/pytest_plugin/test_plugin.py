"""The pytest plugin: an item for a cell and check, red where the matrix is, and across runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.matrix.helpers import HERE, PLAIN, ROOT

ITEMS = ROOT / "tests" / "test_matrix.py"


@pytest.fixture
def items(tmp_path):
    def run(apps, **environ):
        options = ["--matrix-config", PLAIN, "--matrix-build", tmp_path / "build"]
        options += ["--matrix-pythons", "3.11", "--matrix-limits", "default", "--matrix-apps", apps]
        options += ["--matrix-engine", "process"]
        env = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", ITEMS, *options],
            env={**env, **environ},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def failed(done):
    return re.findall(r"^FAILED \S+::(\S+)", done.stdout, re.MULTILINE)


def test_a_green_cell_is_green_in_pytest(items):
    done = items("good")
    assert done.returncode == 0, done.stdout
    assert re.search(r"PASSED \S+test_cell\[plain-good-default-py311-burst\]", done.stdout)
    assert "NOT containers" in done.stdout


def test_a_red_check_is_a_red_item_that_names_the_culprit(items):
    done = items("good,other,extra")
    assert done.returncode == 1
    assert failed(done)[0] == "test_cell[plain-extra-default-py311-identical]"
    assert "X-Extra: 1" in done.stdout


def test_the_last_item_compares_with_runs_that_others_left(items):
    """The cell alone is fine; only the answers of the other two runs show that it is unlike."""
    assert items("good").returncode == 0
    assert items("other").returncode == 0
    done = items("extra")
    assert failed(done) == ["test_identical_to_all_other_runs_of_the_same_images"]
    assert "plain-extra-default-py311 is unlike 2 of 3 cells" in done.stdout


def test_a_wrong_selection_is_a_usage_error(items):
    done = items("goood")
    assert done.returncode in (2, 4)
    assert 'did you mean "good"?' in done.stdout + done.stderr


def test_processes_are_refused_where_docker_is_required(items):
    done = items("good", WSGI_MATRIX_REQUIRE_DOCKER="1")
    assert done.returncode == 1
    assert "forbids the process engine" in done.stdout
    assert "passed" not in done.stdout.splitlines()[-1]


MATRIX = """
[servers.mine]
context = "server"
args = ["{app}", "--chdir", "{folder}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"]
process = ["{python}", "-m", "plainserver"]
process_path = ["server"]

[apps.shop]
path = "shop"

[limits.default]
clients = 4

[limits.small]
nofile = 64
clients = 8

[pythons."3.11"]
"""
APP = """
FRAMEWORK = b'{"framework": "", "version": ""}'


def app(environ, start_response):
    hello = environ["PATH_INFO"] == "/hello"
    body = b"Hello, World!\\n" if hello else FRAMEWORK
    kind = "text/plain; charset=utf-8" if hello else "application/json"
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture
def project(tmp_path):
    """A project of somebody else, with an app and a test of its own."""
    shutil.copytree(HERE / "plainserver", tmp_path / "server")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.py").write_text(APP)
    (tmp_path / "matrix.toml").write_text(MATRIX)
    (tmp_path / "test_shop.py").write_text("def test_of_their_own():\n    pass\n")

    def run(*words):
        env = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA"]
        return subprocess.run(
            [*command, "--matrix-engine", "process", *words],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def passed(done):
    return set(re.findall(r"^PASSED (\S+)", done.stdout, re.MULTILINE))


def test_the_cells_are_items_beside_the_tests_of_another_project(project):
    done = project("--matrix")
    assert "test_shop.py::test_of_their_own" in passed(done)
    assert "matrix::mine-shop-default-py311::burst" in passed(done), done.stdout
    assert "matrix::mine-shop-small-py311::burst" in passed(done)
    assert "2 cells: 2 pass" in done.stdout
    assert done.returncode == 0, done.stdout
    assert "collected 1 item\n" not in done.stdout


def test_without_the_option_the_matrix_is_not_touched(project, tmp_path):
    (tmp_path / "matrix.toml").unlink()
    assert passed(project()) == {"test_shop.py::test_of_their_own"}


def test_the_selection_is_that_of_the_command(project):
    options = ("--matrix", "--matrix-select", "*-py311", "--matrix-skip", "*-small-*")
    done = project(*options, "-k", "burst or their_own")
    assert passed(done) == {
        "test_shop.py::test_of_their_own",
        "matrix::mine-shop-default-py311::burst",
    }


def test_a_suite_has_items_of_its_own_cases(project):
    options = ("--matrix-suite", "shutdown", "--matrix-limits", "default")
    done = project("--matrix", *options, "--collect-only", "-q")
    assert "matrix::mine-shutdown-default-py311::start" in done.stdout
    assert "burst" not in done.stdout


def test_a_red_cell_of_theirs_is_red(project, tmp_path):
    (tmp_path / "shop" / "app.py").write_text(APP.replace("200 OK", "404 Not Found"))
    done = project("--matrix", "--matrix-limits", "default", "-k", "hello")
    assert done.returncode == 1
    assert "FAILED matrix::mine-shop-default-py311::hello-response" in done.stdout
    assert "404" in done.stdout


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--matrix-apps", "shpo"), 'did you mean "shop"?'),
        (("--matrix-select", "nothing"), "matches no cell"),
        (("--matrix-suite", "helo"), 'did you mean "hello"?'),
        (("--matrix-engine", "proces"), 'did you mean "process"?'),
    ],
)
def test_a_wrong_selection_of_theirs_is_an_error_of_usage(project, options, text):
    done = project("--matrix", *options)
    assert done.returncode == 4, done.stdout
    assert text in done.stderr


IMPORTED = """
import json, sys
import pytest
before = set(sys.modules)
import wsgi_matrix.pytest_plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_the_plugin_imports_nothing_for_those_who_do_not_use_it():
    """Every pytest session imports it. Seconds depend on the machine; which modules do not."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, check=True)
    assert json.loads(done.stdout) == [
        "wsgi_matrix",
        "wsgi_matrix.pytest_plugin",
        "wsgi_matrix.pytest_plugin.keys",
    ]


SESSION = """
import sys


def test_of_their_own():
    ours = {name for name in sys.modules if name.startswith("wsgi_matrix.")}
    assert ours == {"wsgi_matrix.pytest_plugin", "wsgi_matrix.pytest_plugin.keys"}
    assert "docker" not in sys.modules
"""


def test_a_session_without_the_matrix_imports_nothing_either(project, tmp_path):
    (tmp_path / "test_shop.py").write_text(SESSION)
    assert passed(project()) == {"test_shop.py::test_of_their_own"}


def test_the_fixture_takes_the_suites_that_the_matrix_names(project, tmp_path):
    """As `wsgi-matrix init` writes it, where the app has neither /hello nor /framework."""
    (tmp_path / "matrix.toml").write_text(
        '[run]\nsuites = ["traffic"]\n\n[suites.traffic]\nsend = ["/"]\n' + MATRIX
    )
    (tmp_path / "test_shop.py").write_text("def test_it(matrix_check):\n    matrix_check.hold()\n")
    done = project("--collect-only", "-q")
    items = re.findall(r"^test_shop.py::test_it\[(\S+)\]", done.stdout, re.MULTILINE)
    assert "mine-shop-default-py311-traffic-01-get" in items, done.stdout
    assert all("-py311-traffic-" in item for item in items)


def test_the_tests_of_the_manual_hold_for_a_matrix_of_traffic(project, tmp_path):
    """No cell of the suite hello, so that there is nothing to compare with other runs."""
    (tmp_path / "matrix.toml").write_text(
        '[run]\nsuites = ["traffic"]\n\n[suites.traffic]\nsend = ["/"]\n' + MATRIX
    )
    manual = (ROOT / "docs" / "pytest.md").read_text()
    [tests] = re.findall(r"```python\n(.*?)```", manual, re.DOTALL)
    (tmp_path / "test_shop.py").write_text(tests)
    done = project()
    assert done.returncode == 0, done.stdout
    assert any("traffic-01-get" in each for each in passed(done))
    assert "the suite hello was not run" in done.stdout
