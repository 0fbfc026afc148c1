"""A suite's, an engine's or an outcome's name is known in one place: its own.

Everything else asks for a field of its type (``SuiteType``, ``EngineType``), or a function of
``model.outcome_semantics``: so one more changes no other module. Read from the syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsgi_matrix.engines.registry import AUTO, ENGINES
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites import registry

from tests.layers import modules

ROOT = Path(__file__).parents[2] / "matrix"
FILES = modules(ROOT, "wsgi_matrix", without=("app", "servers"))


def _package(module: str) -> str:
    return module.rpartition(".")[0]


PLACES = {
    "wsgi_matrix.suites.registry": set(registry.types()),
    "wsgi_matrix.engines.registry": {*ENGINES, AUTO},
    "wsgi_matrix.model.results": {each.value for each in Outcome},
    # The suite of cells that say nothing of it: the model has no registry.
    "wsgi_matrix.model.axes": {"hello"},
    **{_package(registry.types().entries[name].module): {name} for name in registry.types()},
    **{ENGINES.entries[name].module: {name} for name in ENGINES},
}
"""Where names are at home: by module or package, those that it may say."""
NAMES = set[str]().union(*PLACES.values())
OTHER_MEANINGS = {
    "auto": {
        "engines": "a version of Docker's API: the newest that both know",
        "suites": "a value of --ignore",
    },
    "contract": {"cli": "a file whose schema is printed"},
    "error": {
        "engines": "a key of what the launcher and Docker report",
        "probe": "an event on the wire; a key of what the probe reports",
        "reports": "an element of JUnit XML",
        "results": "an event on the wire",
        "suites": "an event on the wire, a path of an app",
    },
    "hello": {"suites": "a request"},
    "process": {"cli": "a key of [servers.NAME]", "config": "a key of [servers.NAME]"},
    "skip": {"cli": "an option", "pytest_plugin": "an option"},
    "traffic": {"cli": "an option"},
}
"""Words that mean something else too: by word, in which packages, and what."""


def texts(path: Path) -> Iterator[ast.Constant]:
    """The constants of a module that are a name and nothing else."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield node


def package(module: str) -> str:
    return module.split(".")[1]


def at_home(module: str, name: str) -> bool:
    """Whether ``module``, or a package that it is in, is a place of ``name``."""
    return any(
        name in names and f"{module}.".startswith(f"{place}.") for place, names in PLACES.items()
    )


def test_names_are_said_in_their_places_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value!r}"
        for module, path in FILES.items()
        for node in texts(path)
        if not at_home(module, node.value)
        and package(module) not in OTHER_MEANINGS.get(str(node.value), ())
    ]
    assert found == []


def test_other_meanings_are_still_meant() -> None:
    said = {(node.value, package(module)) for module, path in FILES.items() for node in texts(path)}
    listed = {(word, each) for word, packages in OTHER_MEANINGS.items() for each in packages}
    assert listed - said == set()


SUBJECTS = ("suite", "engine", "outcome")
ASKED = {"RED", "EXPECTED", "SUITES", "ENGINES"}
"""Sets of ``model.outcome_semantics``, and the registries: to look into them is to ask."""


def about(node: ast.expr) -> bool:
    """Whether an operand is the suite, engine or outcome of something, or the name of one."""
    if isinstance(node, ast.Attribute):
        return node.attr in SUBJECTS or (node.attr == "name" and about(node.value))
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in SUBJECTS
    return isinstance(node, ast.Name) and node.id in SUBJECTS


def certain(node: ast.expr) -> bool:
    """Whether an operand is one text, a constant, or a list with one of these in it."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(certain, node.elts))
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        return name.isupper() and name not in ASKED
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def compared(source: str) -> list[int]:
    """Lines that compare the suite, engine or outcome of something with a certain one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(about, sides)) and any(map(certain, sides)):
                found.append(node.lineno)
        elif isinstance(node, ast.Match) and about(node.subject):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    "source",
    [
        'cell.suite == "hello"',
        "result.cell.suite in (TITLES, x)",
        'cell["engine"] != DOCKER',
        "run.engine.name is docker.NAME",
        "check.outcome is Outcome.PASS",
        "outcome in (Outcome.ERROR, Outcome.SKIP)",
        "match result.outcome:\n case _: pass",
    ],
)
def test_a_comparison_is_found(source: str) -> None:
    assert compared(source) == [1]


@pytest.mark.parametrize(
    "source",
    ["cell.suite == name", "result.outcome in verdict.RED", "suite.compare is api.alone", "engine"],
)
def test_what_is_no_comparison_with_a_certain_one_is_not(source: str) -> None:
    assert compared(source) == []


def test_nothing_compares_with_a_certain_suite_engine_or_outcome() -> None:
    places = {*PLACES, "wsgi_matrix.model.outcome_semantics"}
    found = {
        str(path.relative_to(ROOT)): lines
        for module, path in FILES.items()
        if module not in places and (lines := compared(path.read_text()))
    }
    assert found == {}
