"""``onegate.master.execution_environment``: what a generation runs with, and since when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTERED = """
import json, os, sys
from onegate.master.execution_environment import ExecutionEnvironment, start
from onegate.settings_error import SettingsError
from onegate.config.settings import Settings

here = start()

def state():
    umask = os.umask(0)
    os.umask(umask)
    fds = len(os.listdir("/proc/self/fd"))
    return [os.getcwd(), {n: v for n, v in os.environ.items() if n in "ABCDH"}, umask, fds]

said = [state()]
"""


def run(source: str, folder: Path, **environ: str) -> list[list[object]]:
    ended = subprocess.run(
        [sys.executable, "-c", f"{ENTERED}{source}\nprint(json.dumps(said))"],
        cwd=folder,
        env={**os.environ, "PWD": str(folder), **environ},
        umask=0o022,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(ended.stdout))


def test_it_holds_when_it_is_entered_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    source = """
context = ExecutionEnvironment(Settings(chdir="sub", env=(("A", "1"),), umask=0o77), here)
said.append(state()[:3])
with context.tried():
    said.append(state()[:3])
    os.environ["B"] = "hook"
said.append(state()[:3])
context.enter()
said.append(state())
context.enter()
said.append(state())
"""
    sub = str(tmp_path / "sub")
    before, made, tried, after, entered, again = run(source, tmp_path)
    assert before[:3] == made == after == [str(tmp_path), {}, 0o22]
    assert tried == [sub, {"A": "1"}, 0o77]
    assert entered == again == [sub, {"A": "1", "B": "hook"}, 0o77, before[3]]


@pytest.mark.parametrize(
    "settings", ['chdir="gone"', 'chdir="sub", error_logfile="no/such"', 'chdir="file"']
)
def test_one_that_cannot_be_made_changes_nothing_and_leaves_nothing_open(
    tmp_path: Path, settings: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").touch()
    source = f"""
try:
    ExecutionEnvironment(Settings({settings}, env=(("A", "1"),), umask=0o77), here)
except SettingsError:
    said.append(state())
"""
    before, after = run(source, tmp_path)
    assert before == after


def test_of_the_environment_only_what_was_set_is_undone(tmp_path: Path) -> None:
    source = """
one = ExecutionEnvironment(Settings(env=(("A", "1"), ("B", "1"), ("C", "1"), ("D", "1"))), here)
one.enter()
os.environ.update({"B": "1:hook", "D": "1:hook", "H": "hook"})
two = ExecutionEnvironment(Settings(env=(("C", "2"), ("D", "1"))), here, one)
two.enter()
said.append(state())
three = ExecutionEnvironment(Settings(), here, two)
three.enter()
said.append(state())
"""
    _, two, three = run(source, tmp_path, A="0", C="0")
    assert two[1] == {"A": "0", "B": "1:hook", "C": "2", "D": "1:hook", "H": "hook"}
    assert three[1] == {"A": "0", "B": "1:hook", "C": "0", "D": "1:hook", "H": "hook"}


def test_a_link_that_is_turned_leads_to_the_new_directory_when_it_is_made(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = tmp_path / "current"
    link.symlink_to("one")
    source = """
first = ExecutionEnvironment(Settings(), here)
first.enter()
os.unlink("../current")
os.symlink("two", "../current")
second = ExecutionEnvironment(Settings(), here, first)
os.unlink("../current")
os.symlink("three", "../current")
second.enter()
said.append(state())
"""
    _, entered = run(source, link)
    assert entered[0] == str(tmp_path / "two")


def test_a_pwd_that_leads_elsewhere_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for wrong in (str(tmp_path), ".", "/no/such", ""):
        source = "said.append(here.directory)"
        assert run(source, tmp_path / "one", PWD=wrong)[1] == str(tmp_path / "one")
