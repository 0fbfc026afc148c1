"""What the shell is told completes a word: names of the matrix at hand, ids of its cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from wsgi_matrix.cli import completion

from tests.matrix.helpers import PLAIN

pytestmark = pytest.mark.unit
GOOD = ["plain-good-default-py311", "plain-good-default-py313"]
FDS64 = ["plain-good-fds64-py311", "plain-good-fds64-py313"]


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`complete(completer, "go", suites=…)` → words, below a group with the options of ours."""
    monkeypatch.chdir(tmp_path)
    group, command = click.Group("wsgi-matrix"), click.Command("run")

    def words(completer, incomplete: str, *, file: Path | None = PLAIN, **params) -> list[str]:
        root = click.Context(group)
        root.params = {"file": file, "build": tmp_path / "build"}
        ctx = click.Context(command, parent=root)
        ctx.params = params
        return [each.value for each in completer(ctx, click.Option(["--x"]), incomplete)]

    return words


apps = completion.of_axis(lambda matrix: matrix.apps)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("go", ["good"]),
        ("o", ["other", "onebyte"]),
        ("good,o", ["good,other", "good,onebyte"]),
        ("good,other,", [f"good,other,{name}" for name in ("good", "other", "onebyte")]),
        ("a", ["all"]),
        ("none", []),
    ],
)
def test_the_last_of_several_names_is_completed(complete, typed: str, words: list[str]) -> None:
    assert complete(apps, typed)[: len(words) or 1] == words
    assert set(complete(apps, "")) > {"good", "other", "all"}


def test_ids_of_cells_are_those_of_the_suites_named_so_far(complete) -> None:
    assert sorted(complete(completion.cells, "plain-good-")) == GOOD + FDS64
    assert complete(completion.cells, "plain-good-f") == FDS64
    slow = complete(completion.cells, "", suites=("slow_clients",))
    assert slow
    assert not set(slow) & set(GOOD)
    assert complete(completion.cells, "", suites=("slwo",)) == []


def test_of_a_matrix_that_cannot_be_read_nothing_is_completed(complete, tmp_path: Path) -> None:
    """The command itself says what is wrong; a shell in the middle of a word is no place for it."""
    file = tmp_path / "wrong.toml"
    file.write_text("[servers")
    for matrix in (file, tmp_path / "none.toml", None):  # None: none is found from here upwards
        assert complete(apps, "", file=matrix) == []
        assert complete(completion.cells, "", file=matrix) == []
        assert complete(completion.cells_of_results, "", file=matrix) == []


def test_a_matrix_is_found_from_the_working_directory(complete, tmp_path: Path) -> None:
    (tmp_path / "matrix.toml").write_text(PLAIN.read_text())
    assert complete(apps, "go", file=None) == ["good"]


def results(file: Path, *ids: str) -> Path:
    """A file of which ids are all that is read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"cells": [{"id": each} for each in ids]}))
    return file


def test_cells_of_results_are_those_of_the_named_file_or_of_the_last_run(
    complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether a file is whole is told by whoever reads it, and tested there.
    monkeypatch.setattr(
        completion.results_reader, "read", lambda path: json.loads(path.read_text())
    )
    results(tmp_path / "build" / "matrix" / "results.json", "a-last-run", "a-last-one", "b")
    named = results(tmp_path / "named.json", "a-named")
    assert complete(completion.cells_of_results, "a-") == ["a-last-run", "a-last-one"]
    assert complete(completion.cells_of_results, "a-", results=named) == ["a-named"]
