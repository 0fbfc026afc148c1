"""The order of things: each server alone first, then rounds in which all take turns.

A round of an app starts all its servers anew, so that what a process is born with (its layout in
memory, the seed of its hashes) is drawn again, and then goes through the loads: A B C … under one,
A B C … under the next. Each round begins with another server, so that no place in the row is
better than the others over all rounds.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import check, load
from bench.catalogue import expected_body
from bench.model import IN_PROCESS, ONEGATE, WIRE, App, Sample, Scenario, Server, Trial
from bench.process import Running, StartError, core_busy_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.tools import Tools

# What a start, a trial, and the work around a slice take, roughly, in seconds.
START_COST, TRIAL_COST, SLICE_COST, IDLE_COST = 0.5, 3.0, 0.25, 0.5
RATE_SHARE = 0.4  # of what onegate answers: a load that is not the measure of anyone's limit
RATE_MOST = 4000.0  # requests/s; more, and the client's own limit would be measured


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to measure."""

    rounds: int
    seconds: int
    connections: int
    server_core: int
    load_core: int


def estimate(
    blocks: Sequence[tuple[App, Sequence[Scenario]]], servers: int, options: Options
) -> float:
    """Seconds that a measurement takes, roughly."""
    total = 0.0
    for _, scenarios in blocks:
        total += servers * TRIAL_COST
        each_round = servers * START_COST
        for scenario in scenarios:
            takers = servers + (not scenario.fixed_rate)
            idle = IDLE_COST if scenario.idle else 0.0
            each_round += takers * (options.seconds + SLICE_COST + idle)
        total += options.rounds * each_round
    return total


def rotated(items: Sequence[str], by: int) -> list[str]:
    """``items``, beginning with another one in each round."""
    by %= len(items) or 1
    return [*items[by:], *items[:by]]


def broken(trials: Sequence[Trial], connections: int) -> dict[tuple[str, bool], str]:
    """What makes a load meaningless for a server, by its name and whether with close.

    The load sees none of it by itself: clients that wait are no part of what it reports until
    they time out, a connection that stays open is used again, and an app that is not told the end
    of a request does less.
    """
    found = {}
    for trial in trials:
        if trial.served_at_once < connections:
            reason = f"served {trial.served_at_once} of {connections} clients"
            found[trial.server, False] = reason
        if not trial.closes:
            found[trial.server, True] = "does not close when asked"
        if not trial.calls_close:
            for close in (False, True):
                found[trial.server, close] = "leaves out the close() of what the app returned"
    return found


class Block:
    """One app with all servers."""

    def __init__(
        self,
        app: App,
        scenarios: Sequence[Scenario],
        servers: Sequence[Server],
        *,
        tools: Tools,
        options: Options,
        tell: Callable[[str], None],
    ) -> None:
        self.app = app
        self.scenarios = scenarios
        self.servers = servers
        self.tools = tools
        self.options = options
        self.tell = tell
        self.trials: list[Trial] = []
        self.samples: list[Sample] = []
        self.broken: dict[tuple[str, bool], str] = {}  # by server and whether with close

    def run(self) -> None:
        """Try every server, then measure those that answered."""
        for server in self.servers:
            trial = self.trial(server)
            self.trials.append(trial)
            if trial.reason:
                self.tell(f"{self.app.name}: {server.name} takes no part: {trial.reason}")
        failed = {trial.server for trial in self.trials if trial.reason}
        self.broken = broken(self.trials, self.options.connections)
        usable = [server for server in self.servers if server.name not in failed]
        for number in range(self.options.rounds):
            self.tell(f"{self.app.name}: round {number + 1} of {self.options.rounds}")
            self.round(number, usable)

    def trial(self, server: Server) -> Trial:
        """Start a server alone, check its answers, load it for a second, read its memory."""
        name, app = server.name, self.app.name
        if server.product in self.tools.missing:
            return Trial(server=name, app=app, reason=self.tools.missing[server.product])
        first = self.scenarios[0]
        try:
            calls_close = self.calls_close(server, first.path)
        except (StartError, check.WrongAnswerError) as error:
            return Trial(server=name, app=app, reason=str(error))
        with self.start(server) as running:
            try:
                running.wait()
                kept = False
                for path, upload in {(each.path, each.upload) for each in self.scenarios}:
                    kept = check.check(running.port, path, upload, expected_body(path, upload))
                # Once more if need be: a crowded machine starves servers as well.
                at_once = max(
                    check.served_at_once(running.port, first.path, self.options.connections)
                    for _ in range(2)
                )
                closes = check.closes(running.port, first.path)
                loaded = self.wrk(first, running.port, 1)
                running.raise_if_ended()
            except (StartError, check.WrongAnswerError) as error:
                return Trial(server=name, app=app, reason=str(error))
            return Trial(
                server=name,
                app=app,
                keeps_alive=kept,
                closes=closes,
                calls_close=calls_close,
                served_at_once=at_once,
                rps=loaded.rps,
                memory=running.memory(),
            )

    def calls_close(self, server: Server, path: str) -> bool:
        """Whether a server closes what the app returns; true of one that has no app."""
        if server.product == WIRE:
            return True
        core = self.options.server_core
        with Running(server, self.app, self.tools, core, closing=True) as running:
            running.wait()
            return check.calls_close(running.port, path)

    def start(self, server: Server) -> Running:
        """Start a server, without waiting for it."""
        return Running(server, self.app, self.tools, self.options.server_core)

    def wrk(self, scenario: Scenario, port: int, seconds: int) -> load.Loaded:
        """The load of ``scenario``, as fast as the server answers."""
        return load.wrk(
            scenario,
            port,
            core=self.options.load_core,
            connections=self.options.connections,
            seconds=seconds,
        )

    def round(self, number: int, servers: Sequence[Server]) -> None:
        """Start all, go through the loads, stop all."""
        with contextlib.ExitStack() as stack:
            running = {each.name: stack.enter_context(self.start(each)) for each in servers}
            for each in running.values():
                with contextlib.suppress(StartError):
                    each.wait()
            for each in running.values():
                self.warm(each)
            for scenario in self.scenarios:
                names = [*running] if scenario.fixed_rate else [*running, IN_PROCESS]
                for name in rotated(names, number):
                    self.samples.append(
                        self.ceiling(scenario, number)
                        if name == IN_PROCESS
                        else self.slice(scenario, number, running[name])
                    )

    def warm(self, running: Running) -> None:
        """Ask a few times, for all that is done at the first requests only."""
        first = self.scenarios[0]
        expected = expected_body(first.path, first.upload)
        with contextlib.suppress(check.WrongAnswerError):
            for _ in range(20):
                check.check(running.port, first.path, first.upload, expected)

    def ceiling(self, scenario: Scenario, number: int) -> Sample:
        """The app with no server."""
        loaded, cpu_us = load.in_process(
            self.tools.python,
            self.app.folder,
            scenario,
            core=self.options.server_core,
            seconds=self.options.seconds,
        )
        return Sample(
            server=IN_PROCESS,
            app=self.app.name,
            scenario=scenario.name,
            round=number,
            rps=loaded.rps,
            requests=loaded.requests,
            cpu_us=cpu_us,
        )

    def slice(self, scenario: Scenario, number: int, running: Running) -> Sample:
        """One server under one load."""
        core = self.options.server_core
        rate = self.rate() if scenario.fixed_rate else 0.0
        with load.idle_connections(running.port, scenario.idle) as idle:
            cpu, busy, begin = running.cpu_seconds(), core_busy_seconds(core), time.monotonic()
            if scenario.fixed_rate:
                loaded = load.fixed_rate(
                    running.port,
                    scenario.path,
                    core=self.options.load_core,
                    connections=self.options.connections,
                    seconds=self.options.seconds,
                    rate=rate,
                )
            else:
                loaded = self.wrk(scenario, running.port, self.options.seconds)
            elapsed = time.monotonic() - begin
            cpu = running.cpu_seconds() - cpu
            busy = core_busy_seconds(core) - busy
            kept = idle.kept() if scenario.idle else 0
        problems = dict(loaded.problems)
        if broken := self.broken.get((running.server.name, scenario.close)):
            problems[broken] = 1
        try:
            running.raise_if_ended()
        except StartError as error:
            problems[str(error)] = 1
        return Sample(
            server=running.server.name,
            app=self.app.name,
            scenario=scenario.name,
            round=number,
            rps=loaded.rps,
            requests=loaded.requests,
            p50_us=loaded.p50_us,
            p99_us=loaded.p99_us,
            max_us=loaded.max_us,
            cpu_us=cpu * 1e6 / loaded.requests if loaded.requests else 0.0,
            others=max(0.0, busy - cpu) / elapsed,
            offered=rate,
            idle_kept=kept,
            problems=problems,
        )

    def rate(self) -> float:
        """The same rate for all: a share of what onegate answers, or else the median server."""
        rates = {each.server: each.rps for each in self.trials if each.rps and each.server != WIRE}
        if ONEGATE in rates:
            reference = rates[ONEGATE]
        else:
            reference = sorted(rates.values())[len(rates) // 2] if rates else 0.0
        return round(min(RATE_MOST, max(1.0, reference * RATE_SHARE)))
