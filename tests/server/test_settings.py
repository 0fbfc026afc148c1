"""``onegate.settings``: every option read, and one line about what cannot be."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from onegate import __version__
from onegate.cli import main
from onegate.settings import Settings, from_arguments, parser, seconds, size, whole

DECLARED = [each for each in fields(Settings) if each.metadata]


def flag(name: str) -> str:
    """The long flag of the option ``name``."""
    return "--" + name.replace("_", "-")


def test_defaults_are_those_of_the_declarations() -> None:
    assert from_arguments(["m:a"]) == Settings(app="m:a")


@pytest.mark.parametrize("each", DECLARED, ids=lambda each: each.name)
def test_every_option_is_read_and_documented(each: Any) -> None:
    samples: dict[object, tuple[list[str], object]] = {
        int: (["7"], 7), float: (["2.5"], 2.5), str: (["text"], "text"), tuple: (["x"], ("x",)),
    }  # fmt: skip
    if isinstance(each.default, bool):
        given, value = [], True
    else:
        given, value = samples[type(each.default)]
    names = [name for name in (*each.metadata["flags"], flag(each.name)) if name in _flags()]
    assert names
    for name in names:
        assert getattr(from_arguments(["m:a", name, *given]), each.name) == value  # type: ignore[arg-type]
    assert each.metadata["help"] in " ".join(parser().format_help().split())


def _flags() -> set[str]:
    return {text for action in parser()._actions for text in action.option_strings}


def test_help_names_defaults() -> None:
    text = " ".join(parser().format_help().split())
    assert "(default: 127.0.0.1:8000)" in text
    assert "(default: 75.0)" in text


def test_an_option_may_be_repeated() -> None:
    settings = from_arguments(["m:a", "-b", ":1", "--bind", ":2"])
    assert settings.bind == (":1", ":2")


@pytest.mark.parametrize("name", ["keepalive", "keep_alive"])
def test_keep_alive_under_its_flag(name: str) -> None:
    assert (flag(name) in _flags()) is (name == "keep_alive")
    assert from_arguments(["m:a", "--keep-alive", "2"]).keepalive == 2


@pytest.mark.parametrize(
    ("text", "octets"),
    [("0", 0), ("65536", 65536), ("64k", 65536), ("64K", 65536), ("2m", 1 << 21), ("1G", 1 << 30)],
)
def test_size(text: str, octets: int) -> None:
    assert size(text) == octets


@pytest.mark.parametrize(
    "text", ["", "k", "-1", "+1", "1.5k", "1kb", "1t", "1 k", "٣", "1_0", "0x9"]
)
def test_not_a_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a size"):
        size(text)


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("2.5", 2.5), ("1e2", 100), (".5", 0.5)])
def test_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "-inf", "1e9", "soon", "1s"])
def test_not_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="positive number of seconds"):
        seconds(text)


@pytest.mark.parametrize(("minimum", "text"), [(0, "0"), (1, "1"), (1, "007"), (3, "10")])
def test_whole(minimum: int, text: str) -> None:
    assert whole(minimum)(text) == int(text)


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.0", "", "one", "²", "٣", "1_0", " 1"])
def test_not_whole(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number of 1 or more"):
        whole(1)(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "MODULE:APP"),
        (["m:a", "--workers", "0"], "--workers"),
        (["m:a", "--workers"], "--workers"),
        (["m:a", "--work", "2"], "--work"),
        (["m:a", "--keep-alive", "soon"], "--keep-alive"),
        (["m:a", "--body-memory", "1t"], "--body-memory"),
        (["m:a", "b:c"], "b:c"),
        (["m:a", "--unknown"], "--unknown"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_the_option(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("onegate: error: ")
    assert message in line


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    ended = subprocess.run(
        [sys.executable, "-m", "onegate", "m:a", "--chdir", gone],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == f"onegate: --chdir {gone}: No such file or directory\n"


def test_version() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "onegate", "--version"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, f"onegate {__version__}\n")
