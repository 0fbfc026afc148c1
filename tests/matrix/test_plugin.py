"""The pytest plugin: an item for a cell and check, red where the matrix is, and across runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ITEMS = HERE.parent / "test_matrix.py"


@pytest.fixture
def items(tmp_path):
    def run(apps, **environ):
        options = ["--matrix-config", HERE / "plain.toml", "--matrix-build", tmp_path / "build"]
        options += ["--matrix-pythons", "3.11", "--matrix-limits", "default", "--matrix-apps", apps]
        options += ["--matrix-engine", "process"]
        env = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", ITEMS, *options],
            env={**env, **environ},
            cwd=HERE.parent.parent,
            capture_output=True,
            text=True,
            timeout=90,
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
    assert "refuses the process engine" in done.stdout
    assert "passed" not in done.stdout.splitlines()[-1]
