"""The command line: what is selected, in which order, and what is refused."""

from __future__ import annotations

import re

import pytest

from bench import cli, profiling
from bench.catalogue import APPS, SCENARIOS, SERVERS
from bench.model import Trial
from bench.process import ROOT
from bench.rounds import Options, broken, estimate, rotated
from bench.tools import peers

HOW = Options(rounds=3, seconds=1, connections=32, server_core=0, load_core=1)


def test_patterns_select_in_the_order_of_the_catalogue() -> None:
    found = [each.name for each in cli.pick(SERVERS, "bjoern,onegate-w*", "server")]
    assert found == ["onegate-w4", "onegate-w4-preload", "bjoern"]
    assert cli.pick(SERVERS, None, "server") == list(SERVERS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--servers", "onegate,apache"], "no server is called 'apache'; there are onegate, "),
        (["--apps", "payload", "--scenarios", "close"], "these apps have none of these scenarios"),
        (["--server-core", "9999"], "core 9999 may not be used"),
        (["--rounds", "-1"], "whole numbers from 1"),
    ],
)
def test_wrong_usage_measures_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_everything_and_the_subset_are_there_and_bounded() -> None:
    plan = cli.blocks(APPS, SCENARIOS)
    assert [app.name for app, _ in plan] == ["raw", "flask", "pyramid", "django", "payload"]
    assert {each.name for _, loads in plan for each in loads} == {e.name for e in SCENARIOS}
    quick = {kind: value.split(",") for kind, value in cli.QUICK.items()}
    servers = cli.pick(SERVERS, cli.QUICK["servers"], "server")
    assert [each.name for each in servers] == quick["servers"]
    some = cli.blocks(
        cli.pick(APPS, cli.QUICK["apps"], "app"),
        cli.pick(SCENARIOS, cli.QUICK["scenarios"], "scenario"),
    )
    two = Options(rounds=2, seconds=1, connections=32, server_core=0, load_core=1)
    assert estimate(some, len(servers), two) < 90
    assert estimate(plan, len(SERVERS), HOW) < 30 * 60


def test_each_round_begins_with_another() -> None:
    rows = [rotated(["a", "b", "c"], number) for number in range(4)]
    assert rows == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_what_the_load_cannot_see_breaks_only_the_load_it_concerns() -> None:
    trials = [
        Trial(server="good", app="raw", closes=True, calls_close=True, served_at_once=32),
        Trial(server="starves", app="raw", closes=True, calls_close=True, served_at_once=4),
        Trial(server="holds", app="raw", closes=False, calls_close=True, served_at_once=32),
        Trial(server="forgets", app="raw", closes=True, served_at_once=32),
    ]
    assert broken(trials, 32) == {
        ("starves", False): "served 4 of 32 clients",
        ("holds", True): "does not close when asked",
        ("forgets", False): "leaves out the close() of what the app returned",
        ("forgets", True): "leaves out the close() of what the app returned",
    }


def test_every_peer_is_pinned_and_every_pin_is_a_peer() -> None:
    assert set(peers()) == {each.product for each in SERVERS if each.is_peer}
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", each) for each in peers().values())


def test_apps_of_the_catalogue_exist() -> None:
    for app in APPS:
        assert (ROOT / app.folder / "app.py").is_file()
        assert not app.distribution or (ROOT / app.folder / "requirements.txt").is_file()


def test_shares_of_a_profile() -> None:
    folded = "main;loop;parse 30\nmain;loop 10\nmain;loop;call;loop 60\n"
    assert profiling.shares(folded) == [
        (0.7, 1.0, "loop"),
        (0.3, 0.3, "parse"),
    ]
