"""What adding a case costs: one rule, and the scripts of servers that keep and break it.

In a copy of this repository, which rules belong to. A rule that is there is added once more under
another id: so this test knows nothing of what rules are made of.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from wsgi_matrix.suites.conformance.http1 import version

from tests.conformance import scripts_request
from tests.matrix.extending.conftest import TOP, Repository

PARTS = ("matrix", "tests/conformance", "tests/server", "docs", "pyproject.toml")
"""What the test of rules needs of this repository."""
FIRST = version.RULES[0].id
AGAIN = f"{FIRST}-again"
RULES = f"""

import dataclasses

RULES = (*RULES, dataclasses.replace(RULES[0], id="{AGAIN}", alias=""))
"""
SCRIPTS = f"""

for name in [each for each in GREEN if f"{{each}}/".startswith("{FIRST}/")]:
    again = name.replace("{FIRST}", "{AGAIN}")
    GREEN[again], RED[again] = GREEN[name], RED[name]
"""
MATRIX = """
[servers.one]
context = "."
args = ["{app}", "{port}"]
[apps.one]
path = "."
[limits.default]
[pythons."3.11"]
"""


@pytest.fixture
def repository(tmp_path):
    """A copy of this repository, as far as it is needed, committed."""
    made = Repository(tmp_path / "copy", tmp_path / "site")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS]
    found = subprocess.run(listed, cwd=TOP, capture_output=True, text=True, check=True).stdout
    for name in filter(None, found.split("\0")):
        if (TOP / name).is_file():
            (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, made.folder / name)
    made.git("init", "--quiet")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "A copy")
    return made


def python(repository, *words):
    environ = {**os.environ, "PYTHONPATH": str(repository.folder / "matrix")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", *words],
        cwd=repository.folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_case_is_a_rule_and_its_scripts(repository):
    of_rule = version.__name__.replace(".", "/")
    of_scripts = scripts_request.__name__.replace(".", "/")
    repository.add({f"matrix/{of_rule}.py": RULES, f"{of_scripts}.py": SCRIPTS})
    assert repository.added() == set()
    assert set(repository.changed()) == {f"matrix/{of_rule}.py", f"{of_scripts}.py"}
    words = ("pytest", "-p", "no:cacheprovider", "-q", "-rA", "tests/conformance/test_rules.py")
    code, told = python(repository, *words, "-k", f"{AGAIN} or scripts")
    assert code == 0, told
    for each in ("meets_it_is_green", "breaks_it_is_red"):
        assert re.search(rf"^PASSED \S+{each}\[{AGAIN}[/-]", told, re.MULTILINE), told
    (repository.folder / "matrix.toml").write_text(MATRIX)
    code, told = python(repository, "wsgi_matrix", "list", "cases", "--suite", "conformance")
    assert f"conformance {AGAIN} " in told, told


def test_a_case_without_its_scripts_fails(repository):
    repository.add({f"matrix/{version.__name__.replace('.', '/')}.py": RULES})
    words = ("pytest", "-p", "no:cacheprovider", "-q", "tests/conformance/test_rules.py")
    code, told = python(repository, *words, "-k", "scripts")
    assert code == 1, told
    assert "FAILED" in told
