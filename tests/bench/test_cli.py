"""The command line: what is selected, in which order, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench import cli, profiling
from bench.catalogue import APP, APPS, SCENARIO, SCENARIOS, SERVER, SERVERS, SUFFIXES
from bench.model import ONEGATE, Trial
from bench.process import ROOT
from bench.rounds import Options, broken, estimate, plans, rotated
from bench.tools import COMPANIONS, peers

HOW = Options(
    rounds=7,
    rate_rounds=15,
    seconds=1,
    connections=32,
    server_core=0,
    second_core=2,
    load_core=1,
)


def test_patterns_select_in_the_order_of_the_catalogue() -> None:
    found = [each.name for each in cli.pick(SERVERS, "bjoern,onegate-w*", "server")]
    assert found == ["onegate-w4", "onegate-w4-preload", "bjoern"]
    assert cli.pick(SERVERS, None, "server") == list(SERVERS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--servers", "onegate,httpd"], "no server is called 'httpd'; there are onegate, "),
        (["--servers", "onegate-baseline"], "no server is called 'onegate-baseline'"),
        (["--apps", "payload", "--scenarios", "close"], "have none of these scenarios"),
        (["--servers", "bjoern", "--scenarios", "workers"], "have none of these scenarios"),
        (["--server-core", "9999"], "core 9999 may not be used"),
        (["--second-core", "9999"], "core 9999 may not be used"),
        (["--rounds", "-1"], "whole numbers from 1"),
        (["--rate-rounds", "-1"], "whole numbers from 1"),
    ],
)
def test_wrong_usage_measures_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_build_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--onegate-baseline", str(tmp_path)]) == 1
    assert f"{tmp_path} holds no onegate" in capsys.readouterr().err


def test_everything_and_the_subset_are_there_and_bounded() -> None:
    todo = plans(APPS, SCENARIOS, SERVERS)
    names = ["raw", "flask", "pyramid", "django", "payload"]
    assert list(dict.fromkeys(each.app.name for each in todo)) == names
    assert {load.name for each in todo for load in each.scenarios} == {e.name for e in SCENARIOS}
    quick = {kind: value.split(",") for kind, value in cli.QUICK.items()}
    servers = cli.pick(SERVERS, cli.QUICK["servers"], "server")
    assert [each.name for each in servers] == quick["servers"]
    some = plans(
        cli.pick(APPS, cli.QUICK["apps"], "app"),
        cli.pick(SCENARIOS, cli.QUICK["scenarios"], "scenario"),
        servers,
    )
    assert estimate(some, replace(HOW, rounds=2, rate_rounds=2)) < 100
    assert estimate(todo, HOW) < 3 * 60 * 60


def test_a_load_meets_the_servers_that_it_is_for_and_each_has_a_name_of_its_form() -> None:
    taken = set()
    for each in plans(APPS, SCENARIOS, SERVERS):
        for scenario in each.scenarios:
            for server in each.servers:
                assert (server.threads, server.workers) == (scenario.threads, scenario.workers)
                taken.add(server.name)
    assert taken == set(SERVER)
    for server in SERVERS:
        suffix = SUFFIXES[server.threads, server.workers]
        assert server.name.endswith(suffix) or server.name == "onegate-w4-preload"


def test_apps_come_once_for_each_number_of_threads_and_workers() -> None:
    loads = [SCENARIO[name] for name in ("traffic", "threads", "workers", "keepalive")]
    servers = [SERVER[name] for name in ("onegate", "onegate-t4", "granian-w4")]
    found = plans([APP["raw"]], loads, servers)
    assert [
        ([load.name for load in each.scenarios], [server.name for server in each.servers])
        for each in found
    ] == [
        (["traffic", "keepalive"], ["onegate"]),
        (["workers"], ["granian-w4"]),
        (["threads"], ["onegate-t4"]),
    ]


def test_a_fixed_rate_has_rounds_of_its_own_and_workers_a_second_core() -> None:
    assert HOW.rounds_of(SCENARIO["traffic"]) == 7
    assert HOW.rounds_of(SCENARIO["rate"]) == 15
    assert HOW.cores(1) == (0,)
    assert HOW.cores(4) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "rounds"),
    [
        ([], (7, 15)),
        (["--rounds", "3"], (3, 3)),
        (["--rounds", "7", "--rate-rounds", "20"], (7, 20)),
        (["--quick"], (2, 2)),
    ],
)
def test_the_rounds_that_are_meant(
    arguments: list[str], rounds: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 5})
    found = cli._measuring(cli.parser().parse_args(arguments))
    assert (found.rounds, found.rate_rounds) == rounds
    assert found.second_core == 5


def test_on_two_cores_workers_share_that_of_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert cli._measuring(cli.parser().parse_args([])).second_core == 1


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
    loads = [SCENARIO["traffic"], SCENARIO["close"]]
    assert broken(trials, loads, 32) == {
        ("starves", "traffic"): "served 4 of 32 clients",
        ("holds", "close"): "does not close when asked",
        ("forgets", "traffic"): "leaves out the close() of what the app returned",
        ("forgets", "close"): "leaves out the close() of what the app returned",
    }


def test_every_peer_is_pinned_and_every_pin_is_a_peer() -> None:
    products = {each.product for each in SERVERS if each.is_peer}
    assert set(peers()) == products | set(COMPANIONS)
    assert set(COMPANIONS.values()) <= products
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", each) for each in peers().values())


def test_every_build_of_onegate_is_measured() -> None:
    builds = {each.build for each in SERVERS if each.product == ONEGATE}
    assert builds == {"onegate", "onegate-pure", "onegate-baseline"}
    assert not any(each.build for each in SERVERS if each.product != ONEGATE)


def test_apps_of_the_catalogue_exist() -> None:
    for app in APPS:
        assert (ROOT / app.folder / "app.py").is_file()
        assert bool(app.distribution) == bool(app.lock)
        assert not app.lock or (ROOT / app.lock).is_file()


def test_shares_of_a_profile() -> None:
    folded = "main;loop;parse 30\nmain;loop 10\nmain;loop;call;loop 60\n"
    assert profiling.shares(folded) == [
        (0.7, 1.0, "loop"),
        (0.3, 0.3, "parse"),
    ]
