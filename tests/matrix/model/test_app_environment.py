"""What a cell of an app has around it, with its folders filled in."""

from __future__ import annotations

import pytest
from wsgi_matrix.model.app_environment import STEADY, AppEnvironment

FOLDERS = {"writable": "/data", "secrets": "/run/secrets", "python": "/usr/bin/python3.11"}


def test_placeholders_are_filled_in_and_other_braces_left_alone() -> None:
    text = "{writable}/db {secrets}/key {python} {} {other} {{writable}}"
    filled = AppEnvironment().filled(text, **FOLDERS)
    assert filled == "/data/db /run/secrets/key /usr/bin/python3.11 {} {other} {/data}"


def test_variables_are_filled_in_beside_those_of_every_cell() -> None:
    environment = AppEnvironment(environment=(("DATABASE", "{writable}/db"), ("EMPTY", "")))
    assert environment.variables(**FOLDERS) == {**STEADY, "DATABASE": "/data/db", "EMPTY": ""}
    assert AppEnvironment().variables(**FOLDERS) == STEADY
    assert STEADY == {"PYTHONHASHSEED": "0"}


def test_what_an_app_says_wins_over_what_every_cell_has() -> None:
    environment = AppEnvironment(environment=(("PYTHONHASHSEED", "random"),))
    assert environment.variables(**FOLDERS) == {"PYTHONHASHSEED": "random"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("python", "-m", "shop"), ("/usr/bin/python3.11", "-m", "shop")),
        (("python3", "manage.py"), ("/usr/bin/python3.11", "manage.py")),
        (("{python}", "x"), ("/usr/bin/python3.11", "x")),
        (("echo", "python", "{writable}"), ("echo", "python", "/data")),
        (("python3.13", "x"), ("python3.13", "x")),
    ],
)
def test_python_as_the_first_word_is_that_of_the_cell(
    words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    environment = AppEnvironment(setup=(("true",), words))
    assert environment.commands(**FOLDERS) == (("true",), expected)


@pytest.mark.parametrize("place", ["writable", "secrets", "python"])
def test_whether_a_place_is_named(place: str) -> None:
    text = f"a{{{place}}}b"
    assert AppEnvironment(environment=(("A", text),)).names(place)
    assert AppEnvironment(setup=(("true",), ("echo", text))).names(place)
    for other in {"writable", "secrets", "python"} - {place}:
        assert not AppEnvironment(environment=(("A", text),), setup=((text,),)).names(other)
    assert not AppEnvironment(environment=((text, place),)).names(place)


def test_whether_it_is_ready_is_asked_by_a_get_of_its_path() -> None:
    environment = AppEnvironment(ready_path="/health?deep=1")
    assert environment.ready_status == 200
    assert environment.ready_request == b"GET /health?deep=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
