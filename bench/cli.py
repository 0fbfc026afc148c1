"""The command ``python -m bench``."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType
from typing import TypeVar

from bench import profiling, reports, results
from bench.catalogue import APPS, CONNECTIONS, SCENARIOS, SERVERS
from bench.load import raise_descriptor_limit
from bench.model import ONEGATE, App, Sample, Scenario, Server, Trial
from bench.network import enter_own_network
from bench.process import ROOT
from bench.rounds import Block, Options, Plan, estimate, plans
from bench.tools import Builds, ToolError, prepare, pyspy, say

# A look at the machine and the tool, in well under 90 s once the venv is there.
QUICK = {
    "servers": "onegate,onegate-pure,onegate-baseline,gunicorn-gthread,uwsgi-http,granian,bjoern,"
    "fastpysgi,peregrine,nginx",
    "apps": "flask",
    "scenarios": "traffic,keepalive",
}
ROUNDS, RATE_ROUNDS = 7, 15  # the least that a bar is judged by

Named = TypeVar("Named", Server, App, Scenario)


class UsageError(Exception):
    """A selection that selects nothing, or cores that are not there."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="bench", description=__doc__, allow_abbrev=False)
    result.add_argument(
        "what",
        nargs="?",
        default="run",
        choices=("run", "report", "docs", "profile", "list"),
        help="measure; show the last results; write docs/results/; profile one server; list names",
    )
    names = "names or patterns, separated by commas"
    result.add_argument("--servers", metavar="LIST", help=names + " such as onegate*,bjoern")
    result.add_argument("--apps", metavar="LIST", help=names)
    result.add_argument("--scenarios", metavar="LIST", help=names)
    result.add_argument("--quick", action="store_true", help="a small subset, 2 rounds")
    result.add_argument("--rounds", type=int, metavar="N", help=f"(default: {ROUNDS})")
    result.add_argument(
        "--rate-rounds",
        type=int,
        metavar="N",
        help=f"rounds at a fixed rate (default: --rounds, if given, or else {RATE_ROUNDS})",
    )
    result.add_argument("--seconds", type=int, metavar="N", help="of a slice (default: 1)")
    result.add_argument("--connections", type=int, default=CONNECTIONS, metavar="N")
    result.add_argument("--server-core", type=int, default=0, metavar="N")
    result.add_argument("--load-core", type=int, default=1, metavar="N")
    result.add_argument(
        "--second-core",
        type=int,
        metavar="N",
        help="where servers with several workers run too (default: a free core, if there is one,"
        " or else the load's)",
    )
    build = "a working tree, a directory that it was installed into, or a wheel"
    result.add_argument(
        "--onegate",
        type=Path,
        default=ROOT,
        metavar="PATH",
        help=f"what is measured as onegate: {build} (default: this tree)",
    )
    result.add_argument(
        "--onegate-baseline",
        type=Path,
        metavar="PATH",
        help=f"another build, to be measured alongside it as onegate-baseline: {build}",
    )
    result.add_argument(
        "--state",
        type=Path,
        default=ROOT / "build/bench",
        metavar="DIR",
        help="what is made once, the logs and results.json (default: build/bench)",
    )
    result.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="for docs: the results of another Python, such as build/bench-3.14 (repeatable)",
    )
    return result


def pick(items: Sequence[Named], wanted: str | None, kind: str) -> list[Named]:
    """Those of ``items`` whose name matches one of ``wanted``, in their own order.

    Raises :class:`UsageError` for a pattern that matches nothing.
    """
    if wanted is None:
        return list(items)
    patterns = [each.strip() for each in wanted.split(",")]
    for pattern in patterns:
        if not any(fnmatchcase(item.name, pattern) for item in items):
            names = ", ".join(item.name for item in items)
            raise UsageError(f"no {kind} is called {pattern!r}; there are {names}")
    return [item for item in items if any(fnmatchcase(item.name, each) for each in patterns)]


def plan(
    apps: Sequence[App], scenarios: Sequence[Scenario], servers: Sequence[Server]
) -> list[Plan]:
    """What is measured. Raises :class:`UsageError` if there is nothing at all."""
    found = plans(apps, scenarios, servers)
    if not found:
        raise UsageError("these apps and servers have none of these scenarios")
    return found


def _builds(options: argparse.Namespace) -> Builds:
    return Builds(onegate=options.onegate, baseline=options.onegate_baseline)


def _there(options: argparse.Namespace) -> list[Server]:
    """The servers, without the builds of onegate that are not there."""
    builds = _builds(options).places()
    return [each for each in SERVERS if each.product != ONEGATE or each.build in builds]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, or 1 if nothing could be measured, or 2 for wrong usage."""
    options = parser().parse_args(arguments)
    options.state = options.state.resolve()  # servers run in directories of their own
    # A terminated measurement ends its servers too: their contexts are left in order.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return COMMANDS[options.what](options)
    except UsageError as error:
        say(str(error))
        return 2
    except (ToolError, results.ResultsError, reports.ReportError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _measuring(options: argparse.Namespace) -> Options:
    quick = options.quick
    allowed = os.sched_getaffinity(0)
    second = options.second_core
    if second is None:
        second = min(allowed - {options.server_core, options.load_core}, default=options.load_core)
    for core in (options.server_core, options.load_core, second):
        if core not in allowed:
            raise UsageError(f"core {core} may not be used; --server-core and --load-core name two")
    found = Options(
        rounds=options.rounds or (2 if quick else ROUNDS),
        rate_rounds=options.rate_rounds or options.rounds or (2 if quick else RATE_ROUNDS),
        seconds=options.seconds or 1,
        connections=options.connections,
        server_core=options.server_core,
        second_core=second,
        load_core=options.load_core,
    )
    if min(found.rounds, found.rate_rounds, found.seconds, found.connections) < 1:
        raise UsageError(
            "--rounds, --rate-rounds, --seconds and --connections are whole numbers from 1"
        )
    return found


def run(options: argparse.Namespace) -> int:
    """Measure, write ``results.json``, show the tables."""
    there = _there(options)
    names = {each.name for each in there}
    quick = {
        **QUICK,
        "servers": ",".join(each for each in QUICK["servers"].split(",") if each in names),
    }
    chosen = {
        name: getattr(options, name) or (quick[name] if options.quick else None) for name in QUICK
    }
    servers = pick(there, chosen["servers"], "server")
    todo = plan(
        pick(APPS, chosen["apps"], "app"),
        pick(SCENARIOS, chosen["scenarios"], "scenario"),
        servers,
    )
    how = _measuring(options)
    say(f"this takes about {estimate(todo, how) / 60:.0f} minutes")
    raise_descriptor_limit()
    tools = prepare(options.state, _builds(options))
    machine = results.machine(own_network=enter_own_network())
    if not machine["own_network"]:
        say("no network of our own here: firewall and connection tracking are measured too")
    began, begin = results.now(), time.monotonic()
    os.sched_setaffinity(0, {how.load_core})  # what this process does itself is part of the load
    trials: list[Trial] = []
    samples: list[Sample] = []
    for each in todo:
        block = Block(each, tools=tools, options=how, tell=say)
        try:
            block.run()
        finally:
            trials += block.trials
            samples += block.samples
            # After every app: what was measured is kept if the next one is interrupted.
            done = results.make(
                began=began,
                took=time.monotonic() - begin,
                on=machine,
                options=how,
                versions=tools.versions,
                trials=trials,
                samples=samples,
            )
            results.write(done, options.state / "results.json")
    print(reports.console(done))
    return 0 if samples else 1


def report(options: argparse.Namespace) -> int:
    """Show the last results."""
    print(reports.console(results.read(options.state / "results.json")))
    return 0


def docs(options: argparse.Namespace) -> int:
    """Put the last results into ``docs/results/benchmark.md``, its picture and README.md."""
    others = [results.read(each / "results.json") for each in options.also]
    reports.write_docs(results.read(options.state / "results.json"), ROOT, others)
    return 0


def profile(options: argparse.Namespace) -> int:
    """Profile one server under one load."""
    server = pick(_there(options), options.servers or ONEGATE, "server")[0]
    first = plan(
        pick(APPS, options.apps or "flask", "app"),
        pick(SCENARIOS, options.scenarios or "traffic", "scenario"),
        [server],
    )[0]
    raise_descriptor_limit()
    how, tools = _measuring(options), prepare(options.state, _builds(options))
    recorder = pyspy(tools)  # which may have to be fetched, by the machine's network
    enter_own_network()
    print(
        profiling.profile(
            server, first.app, first.scenarios[0], recorder=recorder, tools=tools, options=how
        )
    )
    return 0


def names(_options: argparse.Namespace) -> int:
    """List what can be selected."""
    for kind, items in (("servers", SERVERS), ("apps", APPS), ("scenarios", SCENARIOS)):
        print(f"{kind}: {', '.join(item.name for item in items)}")
    return 0


COMMANDS = {"run": run, "report": report, "docs": docs, "profile": profile, "list": names}
