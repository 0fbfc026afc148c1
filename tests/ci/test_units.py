"""``tests/units.py``: what is a unit, and what happens to one that is none."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.units import LOADING, Guard, Reached


def runs() -> int:
    return subprocess.call(["true"])


def forks() -> int:
    return os.fork()


def lists() -> list[str]:
    return os.listdir()  # noqa: PTH208 - of a module that can start processes too


def calls() -> list[int]:
    return [runs() for _ in range(2)]


class Parent:
    def start(self) -> int:
        return forks()


class Child(Parent):
    @functools.cached_property
    def nothing(self) -> int:
        return 0


def makes() -> Child:
    return Child()


def even(number: int) -> bool:
    return number == 0 or odd(number - 1)


def odd(number: int) -> bool:
    return number != 0 and even(number - 1)


@functools.cache
def remembered() -> int:
    return forks()


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (runs, "subprocess → subprocess"),
        (forks, "os.fork"),
        (calls, "runs → subprocess → subprocess"),
        (makes, "Child → Parent.start → forks → os.fork"),
        (functools.partial(makes), "Child → Parent.start → forks → os.fork"),
        (remembered, "forks → os.fork"),
        (lists, ""),
        (even, ""),
        (len, ""),
    ],
)
def test_what_starts_a_process_however_far_it_is(function: object, reason: str) -> None:
    assert Reached().reason(function) == reason


@pytest.mark.parametrize("name", sorted(LOADING))
def test_what_is_loaded_by_its_name_cannot_be_followed_and_is_named(name: str) -> None:
    module = importlib.import_module(name)
    functions = [each for each in vars(module).values() if inspect.isfunction(each)]
    own = [each for each in functions if each.__module__ == name]
    assert own
    assert {Reached().reason(each) for each in own} == {name}


def test_nothing_of_others_is_followed() -> None:
    """What a library may do of which a test uses something else."""
    assert Reached().reason(tempfile.mkdtemp) == ""
    assert Reached().reason(pytest.main) == ""


CONFTEST = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.conftest import *
"""
TESTS = """
import importlib
import socket
import pytest
hidden = importlib.import_module("sub" + "process")

def test_hidden():
    try:
        hidden.call(["true"])
    except RuntimeError:
        pass  # who catches it hides nothing

@pytest.mark.process
def test_marked():
    assert hidden.call(["true"]) == 0

@pytest.fixture
def started():
    import subprocess as late
    late.call(["true"])

def test_in_a_fixture(started):
    pass

def test_of_a_unit():
    pass

def test_of_another_machine():
    with socket.socket() as found:
        found.settimeout(0.01)
        found.connect(("192.0.2.1", 1))
"""


def test_a_unit_that_starts_a_process_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    unit\n    process\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", tmp_path]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    results = dict(
        line.split(" - ")[0].replace("test_some.py::test_", "").split(" ")[::-1]
        for line in run.stdout.splitlines()
        if line.startswith(("PASSED ", "FAILED ", "ERROR "))
    )
    assert results == {
        "hidden": "FAILED",
        "marked": "PASSED",
        "in_a_fixture": "ERROR",
        "of_a_unit": "PASSED",
        "of_another_machine": "FAILED",
    }, run.stdout
    assert "test_hidden is no unit, it did: subprocess.Popen" in run.stdout
    assert "mark it: @pytest.mark.process" in run.stdout


@pytest.mark.parametrize("unix", [True, False])
def test_sockets_of_a_test_itself_are_its_own(tmp_path: Path, unix: bool) -> None:
    kind = socket.AF_UNIX if unix else socket.AF_INET
    with socket.socket(kind) as listener, socket.socket(kind) as client:
        listener.bind(str(tmp_path / "s") if unix else ("127.0.0.1", 0))
        listener.listen()
        with Guard().over("this"):
            client.connect(listener.getsockname())


@pytest.mark.process  # or the guard of this session would be the first to see it
def test_the_socket_of_an_engine_is_not() -> None:
    with (
        socket.socket(socket.AF_UNIX) as client,
        pytest.raises(pytest.fail.Exception, match=r"this is no unit, it did: socket\.connect"),
        Guard().over("this"),
        pytest.raises(RuntimeError, match="marked unit"),
    ):
        client.connect("/run/docker.sock")


ODD = """
import logging
import pytest

@pytest.mark.parametrize("number", range(4))
def test_odd(number):
    logging.getLogger().warning("half of a pair: \\udde2")
    assert number < 3, "\\udde2"
"""


def test_what_has_no_octets_in_utf_8_passes_from_one_process_to_another(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_odd.py").write_text(ODD)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    unit\n    process\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", tmp_path]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 3 passed" in run.stdout, run.stdout
    assert "AssertionError: \\udde2" in run.stdout
