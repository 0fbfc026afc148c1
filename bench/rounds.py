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
CHECKED, ENVIRONS = 960, 40  # requests that are looked at before anything is timed
RATE_SHARE = 0.4  # of what onegate answers: a load that is not the measure of anyone's limit
RATE_MOST = 4000.0  # requests/s; more, and the client's own limit would be measured


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to measure."""

    rounds: int
    rate_rounds: int  # at a fixed rate, since a p99 latency differs more from round to round
    seconds: int
    connections: int
    server_core: int
    second_core: int  # where servers with several workers may run too
    load_core: int

    def cores(self, workers: int) -> tuple[int, ...]:
        """The cores of a server."""
        return (self.server_core,) if workers == 1 else (self.server_core, self.second_core)

    def rounds_of(self, scenario: Scenario) -> int:
        """How many rounds a load has."""
        return self.rate_rounds if scenario.fixed_rate else self.rounds


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One app, and the loads and servers of one number of threads and workers."""

    app: App
    scenarios: tuple[Scenario, ...]
    servers: tuple[Server, ...]


def plans(
    apps: Sequence[App], scenarios: Sequence[Scenario], servers: Sequence[Server]
) -> list[Plan]:
    """What is to be measured, in the order of the catalogue; empty if nothing goes together."""
    found = []
    for app in apps:
        loads = [each for each in scenarios if app.name in each.apps]
        for threads, workers in sorted({(each.threads, each.workers) for each in loads}):
            part = [each for each in loads if (each.threads, each.workers) == (threads, workers)]
            takers = tuple(each for each in servers if part[0].takes(each))
            if takers:
                found.append(Plan(app=app, scenarios=tuple(part), servers=takers))
    return found


def estimate(plans: Sequence[Plan], options: Options) -> float:
    """Seconds that a measurement takes, roughly."""
    total = 0.0
    for plan in plans:
        servers = len(plan.servers)
        total += servers * TRIAL_COST
        total += max(map(options.rounds_of, plan.scenarios)) * servers * START_COST
        for scenario in plan.scenarios:
            takers = servers + (not scenario.fixed_rate)
            idle = IDLE_COST if scenario.idle else 0.0
            rounds = options.rounds_of(scenario)
            total += rounds * takers * (options.seconds + SLICE_COST + idle)
    return total


def rotated(items: Sequence[str], by: int) -> list[str]:
    """``items``, beginning with another one in each round."""
    by %= len(items) or 1
    return [*items[by:], *items[:by]]


def broken(
    trials: Sequence[Trial], scenarios: Sequence[Scenario], connections: int
) -> dict[tuple[str, str], str]:
    """What makes a load meaningless for a server, by the names of both.

    The load sees none of it by itself: clients that wait are no part of what it reports until
    they time out, a connection that stays open is used again, and an app that is not told the end
    of a request does less.
    """
    found = {}
    for trial in trials:
        for scenario in scenarios:
            reason = ""
            if not trial.calls_close:
                reason = "leaves out the close() of what the app returned"
            elif scenario.close and not trial.closes:
                reason = "does not close when asked"
            elif not scenario.close and trial.served_at_once < connections:
                reason = f"served {trial.served_at_once} of {connections} clients"
            if reason:
                found[trial.server, scenario.name] = reason
    return found


class Block:
    """One app with all servers of a plan."""

    def __init__(
        self, plan: Plan, *, tools: Tools, options: Options, tell: Callable[[str], None]
    ) -> None:
        self.app = plan.app
        self.scenarios = plan.scenarios
        self.servers = plan.servers
        self.tools = tools
        self.options = options
        self.tell = tell
        self.trials: list[Trial] = []
        self.samples: list[Sample] = []
        self.broken: dict[tuple[str, str], str] = {}  # by server and scenario
        self.wrong: set[tuple[str, str]] = set()  # what takes no part, by server and scenario

    def run(self) -> None:
        """Try every server, then measure those that answered."""
        for server in self.servers:
            trial = self.trial(server)
            self.trials.append(trial)
            if trial.reason:
                self.tell(f"{self.app.name}: {server.name} takes no part: {trial.reason}")
            for each, reason in trial.wrong.items():
                self.tell(f"{self.app.name}: {server.name} takes no part in {each}: {reason}")
        failed = {trial.server for trial in self.trials if trial.reason}
        self.wrong = {(trial.server, load) for trial in self.trials for load in trial.wrong}
        self.broken = broken(self.trials, self.scenarios, self.options.connections)
        usable = [server for server in self.servers if server.name not in failed]
        rounds = max(map(self.options.rounds_of, self.scenarios))
        for number in range(rounds if usable else 0):
            self.tell(f"{self.app.name}: round {number + 1} of {rounds}")
            self.round(number, usable)

    def trial(self, server: Server) -> Trial:
        """Start a server alone, check its answers, load it for a second, read its memory."""
        name, app = server.name, self.app.name
        if server.product in self.tools.missing:
            return Trial(server=name, app=app, reason=self.tools.missing[server.product])
        path = self.scenarios[0].path
        try:
            calls_close, environ = self.watch(server)
        except (StartError, check.WrongAnswerError) as error:
            return Trial(server=name, app=app, reason=str(error))
        with self.start(server) as running:
            try:
                running.wait()
                # Once more if need be: a crowded machine starves servers as well.
                at_once = max(
                    check.served_at_once(running.port, path, self.options.connections)
                    for _ in range(2)
                )
                # One that gives a thread to a connection until it ends lets the others wait.
                clients = at_once if at_once == self.options.connections else 1
                wrong = {}
                for scenario in self.scenarios:
                    if reason := self.check(scenario, running, clients, environ):
                        wrong[scenario.name] = reason
                right = [each for each in self.scenarios if each.name not in wrong]
                if not right:
                    raise StartError(next(iter(wrong.values())))
                closes = check.closes(running.port, path)
                loaded = self.wrk(right[0], running.port, 1)
                running.raise_if_ended()
                if elsewhere := running.elsewhere():
                    raise StartError(f"{elsewhere} runs on other cores than its own")
            except (StartError, check.WrongAnswerError) as error:
                return Trial(server=name, app=app, reason=str(error))
            return Trial(
                server=name,
                app=app,
                wrong=wrong,
                closes=closes,
                calls_close=calls_close,
                served_at_once=at_once,
                rps=loaded.rps,
                memory=running.memory(),
            )

    def watch(self, server: Server) -> tuple[bool, str]:
        """Whether a server closes what the app returns, and what is wrong with its environ."""
        if server.product == WIRE:  # it has no app
            return True, ""
        with self.start(server, watched=True) as running:
            running.wait()
            closes = check.calls_close(running.port, self.scenarios[0].path)
            if any(each.traffic for each in self.scenarios):
                try:
                    check.check_environ(running.port, self.tools.requests[:ENVIRONS])
                except check.WrongAnswerError as error:
                    return closes, str(error)
            return closes, ""

    def check(self, scenario: Scenario, running: Running, clients: int, environ: str) -> str:
        """What a server answers wrongly to the requests of a load; empty if nothing."""
        try:
            if not scenario.traffic:
                expected = expected_body(scenario.path, scenario.upload)
                check.check(running.port, scenario.path, scenario.upload, expected)
            elif running.server.product != WIRE:
                check.check_traffic(
                    running.port,
                    self.tools.requests[:CHECKED],
                    close=scenario.close,
                    connections=clients,
                )
                return environ
        except check.WrongAnswerError as error:
            return str(error)
        return ""

    def start(self, server: Server, *, watched: bool = False) -> Running:
        """Start a server, without waiting for it."""
        cores = self.options.cores(server.workers)
        return Running(server, self.app, self.tools, cores, watched=watched)

    def wrk(self, scenario: Scenario, port: int, seconds: int) -> load.Loaded:
        """The load of ``scenario``, as fast as the server answers."""
        return load.wrk(
            scenario,
            port,
            state=self.tools.state,
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
                if number >= self.options.rounds_of(scenario):
                    continue
                names = [*running]
                if (scenario.threads, scenario.workers, scenario.fixed_rate) == (1, 1, False):
                    names.append(IN_PROCESS)  # which is no ceiling for anything else
                for name in rotated(names, number):
                    if name == IN_PROCESS:
                        self.samples.append(self.ceiling(scenario, number))
                    elif (name, scenario.name) not in self.wrong:
                        self.samples.append(self.slice(scenario, number, running[name]))

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
            state=self.tools.state,
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
        cores = self.options.cores(running.server.workers)
        rate = self.rate() if scenario.fixed_rate else 0.0
        with load.idle_connections(running.port, scenario.idle) as idle:
            used, busy = running.processor_times(), sum(map(core_busy_seconds, cores))
            begin = time.monotonic()
            if scenario.fixed_rate:
                loaded = load.fixed_rate(
                    scenario,
                    running.port,
                    state=self.tools.state,
                    core=self.options.load_core,
                    connections=self.options.connections,
                    seconds=self.options.seconds,
                    rate=rate,
                )
            else:
                loaded = self.wrk(scenario, running.port, self.options.seconds)
            elapsed = time.monotonic() - begin
            now = running.processor_times()
            cpu = sum(seconds - used.get(each, 0.0) for each, seconds in now.items())
            busy = sum(map(core_busy_seconds, cores)) - busy
            kept = idle.kept() if scenario.idle else 0
            memory = running.memory()
        problems = dict(loaded.problems)
        if broken := self.broken.get((running.server.name, scenario.name)):
            problems[broken] = 1
        if ended := len(used.keys() - now.keys()):
            problems["a process ended, and what it had used is not known"] = ended
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
            others=max(0.0, busy - cpu) / elapsed / len(cores),
            load_busy=loaded.busy,
            own_memory=memory.worker_anonymous if memory else 0,
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
